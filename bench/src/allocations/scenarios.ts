import {
  createDriverRegistry,
  getNotificationListener,
  getNotificationTransport,
  getRpcClient,
  getRpcServer,
  getRpcTransport,
  loadConfig,
  Notifier,
  Target,
} from '@oslo-messaging/core'
import { decodeJson, encodeJson, readEnvelope, writeEnvelope } from '@oslo-messaging/core/driver'
import { memoryDriver } from '@oslo-messaging/core/testing'
import { directDriver } from '../direct-driver.ts'
import { PAYLOADS } from '../payloads.ts'

/** One thing that is done for a message. */
export interface Scenario {
  readonly name: string
  readonly operation: () => unknown
}

const BYTES = 1024

/** Each is set up before it is given, and taken down when the next is asked for. */
export async function* scenarios(): AsyncGenerator<Scenario> {
  const conf = await loadConfig()
  const registry = createDriverRegistry({ drivers: [memoryDriver, directDriver], discover: false })
  const args = PAYLOADS['records']?.(BYTES) ?? {}
  for (const [name, url] of [
    ['call', 'memory://'],
    ['client and dispatch alone', 'direct://'],
  ] as const) {
    await using transport = await getRpcTransport(conf, { url, registry })
    const server = getRpcServer(transport, new Target({ topic: 'bench', server: 'one' }), [{ echo: () => 1 }])
    await server.start()
    const client = getRpcClient(transport, new Target({ topic: 'bench' }), { timeoutMs: 60_000 })
    yield { name, operation: () => client.call({}, 'echo', args) }
    if (url === 'memory://') yield { name: 'cast', operation: () => client.cast({}, 'echo', args) }
    await server.stop()
    await server.wait()
  }
  await using notifications = await getNotificationTransport(conf, { url: 'memory://', registry })
  const listener = getNotificationListener(notifications, [{ topic: 'bench' }], [{ info: () => undefined }])
  await listener.start()
  const notifier = new Notifier(notifications, { publisherId: 'bench', driver: 'messagingv2', topics: ['bench'] })
  yield { name: 'notification', operation: () => notifier.info({}, 'bench', args) }
  await listener.stop()
  await listener.wait()
  const message = { method: 'echo', args, _msg_id: '0947786d9409463cb834cf6aab82eecf', _timeout: null }
  const body = writeEnvelope(message)
  yield { name: 'envelope written', operation: () => writeEnvelope(message) }
  yield { name: 'envelope read', operation: () => readEnvelope(body) }
  const json = encodeJson(message)
  yield { name: 'JSON read', operation: () => decodeJson(json) }
}
