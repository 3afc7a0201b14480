import type { ConnectionOptions } from 'node:tls'
import { ClientFault } from './client-port.ts'
import { probePort, type SpokenProtocol } from './port-probe.ts'

/** How connections end when the two sides do not speak the same. They also end so when a broker goes away. */
const CLOSED = /^(ECONNRESET|EPIPE|EPROTO|ERR_SSL_(?!.*ALERT)\w+|KafkaJSConnectionClosedError|ConnectionClosed)$/

const SPEAKS: Readonly<Record<SpokenProtocol, string>> = {
  PLAINTEXT: 'speaks neither TLS nor SASL',
  SASL_PLAINTEXT: 'wants SASL and does not speak TLS',
  SSL: 'speaks TLS without SASL',
  SASL_SSL: 'speaks TLS and wants SASL',
  TLS: 'speaks TLS',
}

export type ExplainFault = (fault: ClientFault) => Promise<ClientFault>

export interface ExplainOptions {
  /** As it is configured: PLAINTEXT, SASL_PLAINTEXT, SSL or SASL_SSL. */
  readonly protocol: string
  /** How TLS is entered; undefined: it is not. */
  readonly tls: ConnectionOptions | undefined
  /** Host and port of a broker as the client names it. */
  readonly addressOf: (broker: string) => { readonly host: string; readonly port: number } | undefined
}

/** Finds out more about a fault of connecting. A connection that is closed without a word may mean another
 *  `security_protocol`: then the port itself is asked what it speaks, so that nobody waits for what cannot mend
 *  itself. */
export function createExplainFault({ protocol: wanted, tls, addressOf }: ExplainOptions): ExplainFault {
  return async (fault) => {
    const at = fault.host === undefined ? undefined : addressOf(fault.host)
    if (at === undefined) return fault
    const host = `${at.host.includes(':') ? `[${at.host}]` : at.host}:${at.port}`
    const spoken = CLOSED.test(fault.type) ? await probePort({ ...at, tls }) : undefined
    if (spoken === undefined || spoken === wanted || (spoken === 'TLS' && tls !== undefined))
      return renamed(fault, host)
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
