import { createServer, type AddressInfo } from 'node:net'
import rhea from 'rhea'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { checkInternals } from '../../src/client/internals.ts'

/** Everything the driver reaches inside rhea: on an upgrade of rhea this comes first. */
const NAMES = [
  'socket.write',
  'socket.destroy',
  'socket_ready',
  'remote',
  'idle',
  'heartbeat_in',
  'heartbeat_out',
  'amqp_transport.read',
  'sasl_transport.read',
  'sasl_transport.transport.read_complete',
  'on_open',
  'on_close',
]

let connection: object
const server = createServer()
beforeAll(async () => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const options = { host: '127.0.0.1', port, reconnect: false, username: 'u', password: 'p' }
  const container = rhea.create_container()
  container.on('disconnected', () => {})
  connection = container.connect(options)
})
afterAll(() => {
  ;(connection as { socket: { destroy(): void } }).socket.destroy()
  server.close()
})

/** The object with one name taken away. */
function without(from: object, [name = '', ...rest]: readonly string[]): object {
  const isGone = (key: string | symbol): boolean => rest.length === 0 && key === name
  return new Proxy(from, {
    has: (target, key) => !isGone(key) && Reflect.has(target, key),
    get(target, key) {
      const found: unknown = isGone(key) ? undefined : Reflect.get(target, key)
      return key === name && rest.length > 0 ? without(found as object, rest) : found
    },
  })
}

describe('inside rhea', () => {
  it('everything is where it is looked for', () => {
    expect(() => checkInternals(connection)).not.toThrow()
  })

  it.each(NAMES)('%s is missing - refused by name', (name) => {
    expect(() => checkInternals(without(connection, name.split('.')))).toThrow(
      expect.objectContaining({
        code: 'OSLO_MESSAGING_DRIVER',
        retryable: false,
        message: expect.stringContaining(name.replace('sasl_transport.', 'sasl_transport?.')) as string,
      }),
    )
  })
})
