import type { ConnectionOptions } from 'node:tls'
import { ClientFault } from '../port/client-port.ts'
import type { ClusterSettings } from '../settings.ts'
import { probePort, type SpokenProtocol } from './port-probe.ts'
import type { Sockets } from './sockets.ts'

/** How connections end when the two sides do not speak the same. They also end so when a broker goes away. */
const CLOSED = /^(ECONNRESET|EPIPE|EPROTO|ERR_SSL_(?!.*ALERT)\w+|KafkaJSConnectionClosedError)$/

const SPEAKS: Readonly<Record<SpokenProtocol, string>> = {
  PLAINTEXT: 'speaks neither TLS nor SASL',
  SASL_PLAINTEXT: 'wants SASL and does not speak TLS',
  SSL: 'speaks TLS without SASL',
  SASL_SSL: 'speaks TLS and wants SASL',
  TLS: 'speaks TLS',
}

export type ExplainFault = (fault: ClientFault) => Promise<ClientFault>

/** Finds out more about a fault of connecting. A connection that is closed without a word may mean another `security_protocol`: then the port itself is asked what it speaks, so that nobody waits for what cannot mend itself. */
export function createExplainFault(
  { tls, sasl }: ClusterSettings,
  tlsOptions: ConnectionOptions | undefined,
  sockets: Sockets,
): ExplainFault {
  const wanted = `${sasl === null ? '' : 'SASL_'}${tls === null ? 'PLAINTEXT' : 'SSL'}`
  return async (fault) => {
    const at = fault.host === undefined ? undefined : sockets.addressOf(fault.host)
    if (at === undefined) return fault
    const host = `${at.host.includes(':') ? `[${at.host}]` : at.host}:${at.port}`
    const spoken = CLOSED.test(fault.type) ? await probePort({ ...at, tls: tlsOptions }) : undefined
    if (spoken === undefined || spoken === wanted || (spoken === 'TLS' && tls !== null)) return renamed(fault, host)
    const message = `The port at ${host} ${SPEAKS[spoken]}, but [oslo_messaging_kafka] security_protocol is ${wanted}`
    return new ClientFault('SecurityProtocolMismatch', message, { cause: fault, host })
  }
}

/** The same fault with the host as it stands in the URL: the library knows some by other names. */
function renamed(fault: ClientFault, host: string): ClientFault {
  if (fault.host === host) return fault
  const { type, message, cause, written, partition } = fault
  return new ClientFault(type, message, { cause, written, partition, host })
}
