import net from 'node:net'
import tls from 'node:tls'
import { int16, int32 } from './primitives.ts'

/** The security protocol of a listener, as far as a client without credentials can tell; `TLS` is one of the two. */
export type SpokenProtocol = 'PLAINTEXT' | 'SASL_PLAINTEXT' | 'SSL' | 'SASL_SSL' | 'TLS'

export interface ProbeTarget {
  readonly host: string
  readonly port: number
  /** How to enter with TLS: without it only whether the port speaks TLS at all is found out. */
  readonly tls?: tls.ConnectionOptions | undefined
}

const STEP_MS = 2000
const CORRELATION = 0x6f736c6f
const ILLEGAL_SASL_STATE = 34
const mechanism = Buffer.from('PLAIN')

/** SaslHandshake version 1: a listener with SASL answers with its mechanisms, one without it that there is none to
 *  shake hands for. Shape: size, api key 17, version 1, correlation id, no client id, mechanism. */
const HANDSHAKE = Buffer.concat([
  int32(12 + mechanism.length),
  int16(17),
  int16(1),
  int32(CORRELATION),
  int16(-1),
  int16(mechanism.length),
  mechanism,
])

/** Asks a port what it speaks, on connections of its own. Undefined: it cannot be told, or nobody is there. Never
 *  rejects. */
export async function probePort(target: ProbeTarget): Promise<SpokenProtocol | undefined> {
  const { host, port } = target
  const inClear = await shakeHands(net.connect({ host, port }))
  if (inClear !== undefined) return inClear ? 'SASL_PLAINTEXT' : 'PLAINTEXT'
  const options = { host, port, ...(net.isIP(host) === 0 ? { servername: host } : {}) }
  const inTls =
    target.tls === undefined ? undefined : await shakeHands(tls.connect({ ...options, ...target.tls }), 'secureConnect')
  if (inTls !== undefined) return inTls ? 'SASL_SSL' : 'SSL'
  return (await speaksTls(tls.connect({ ...options, rejectUnauthorized: false }))) ? 'TLS' : undefined
}

/** Whether the other side wants SASL; undefined when it does not answer in Kafka's words. */
async function shakeHands(socket: net.Socket, ready = 'connect'): Promise<boolean | undefined> {
  const parts: Buffer[] = []
  socket.once(ready, () => socket.write(HANDSHAKE))
  return await ended(socket, (settle) => {
    socket.on('data', (part: Buffer) => {
      parts.push(part)
      const reply = Buffer.concat(parts)
      if (reply.length < 10) return
      settle(reply.readInt32BE(4) === CORRELATION ? reply.readInt16BE(8) !== ILLEGAL_SASL_STATE : undefined)
    })
  })
}

async function speaksTls(socket: tls.TLSSocket): Promise<boolean> {
  const spoken = await ended<boolean>(socket, (settle) => {
    socket.once('secureConnect', () => settle(true))
    // An alert is TLS, too: it wants a certificate of its clients, for example.
    socket.once('error', ({ code = '' }: NodeJS.ErrnoException) => settle(/^ERR_SSL_.*ALERT/.test(code)))
  })
  return spoken === true
}

async function ended<T>(
  socket: net.Socket,
  listen: (settle: (answer: T | undefined) => void) => void,
): Promise<T | undefined> {
  return await new Promise<T | undefined>((resolve) => {
    const settle = (answer: T | undefined): void => {
      clearTimeout(timer)
      socket.destroy()
      resolve(answer)
    }
    const timer = setTimeout(() => settle(undefined), STEP_MS)
    listen(settle)
    socket.on('error', () => settle(undefined))
    socket.once('close', () => settle(undefined))
  })
}
