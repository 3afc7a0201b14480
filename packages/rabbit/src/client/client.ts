import { connect as amqpConnect, credentials } from 'amqplib'
import { AmqplibConnection } from './client-connection.ts'
import type { ConnectOptions, RabbitClient } from './client-types.ts'
import { IncomingFrames } from './incoming-frames.ts'

export type * from './client-types.ts'
export { NACKED } from './client-types.ts'
export { NO_ANSWER } from './wait-for-answer.ts'

/** amqplib behind the types of this driver. */
export const amqplibClient: RabbitClient = {
  async connect(options) {
    const { hostname, port, tls } = options
    const incoming = new IncomingFrames()
    const socketOptions = {
      ...tls,
      // Without it one round trip on loopback takes 40 ms more, because the broker's host delays its acknowledgements.
      noDelay: true,
      keepAlive: true,
      keepAliveDelay: 30_000,
      timeout: options.handshakeTimeoutMs,
      // Not among amqplib's types, but Node's sockets know them.
      signal: options.signal,
      onread: incoming.onread,
      credentials: credentialsOf(options),
      clientProperties: { ...options.clientProperties },
    }
    const place = {
      protocol: tls === undefined ? 'amqp' : 'amqps',
      hostname,
      port,
      // amqplib decodes the name once more.
      vhost: encodeURIComponent(options.virtualHost),
      heartbeat: options.heartbeat,
    }
    let model
    try {
      model = await amqpConnect(place, socketOptions)
    } catch (error) {
      const { refusal } = incoming
      if (refusal === undefined) throw error
      throw Object.assign(new Error(refusal.text, { cause: error }), { code: refusal.code })
    }
    const connection = new AmqplibConnection(model, incoming, options)
    // What came with open-ok may have ended it already, before anybody could be told.
    if (connection.isOver) throw connection.reason ?? new Error('The connection was closed as soon as it was open')
    return connection
  },
}

function credentialsOf({ mechanism, username, password }: ConnectOptions) {
  if (mechanism === 'EXTERNAL') return credentials.external()
  return mechanism === 'PLAIN' ? credentials.plain(username, password) : credentials.amqplain(username, password)
}
