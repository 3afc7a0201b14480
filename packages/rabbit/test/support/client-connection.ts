import { amqplibClient, type ClientConnection, type ConnectOptions } from '../../src/client/client.ts'

/** A connection of the client below the driver, as guest. */
export async function connectClient(
  at: Pick<ConnectOptions, 'port'> & Partial<ConnectOptions>,
): Promise<ClientConnection> {
  return await amqplibClient.connect({
    hostname: '127.0.0.1',
    virtualHost: '/',
    mechanism: 'PLAIN',
    username: 'guest',
    password: 'guest',
    heartbeat: 0,
    tls: undefined,
    handshakeTimeoutMs: 5000,
    answerTimeoutMs: 5000,
    confirmTimeoutMs: 5000,
    clientProperties: {},
    signal: new AbortController().signal,
    ...at,
  })
}
