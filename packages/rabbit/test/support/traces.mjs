// A process with an agent that watches it (`globalThis.agent`, see agents/): sends messages in traces of their own, and
// serves some of them itself. Built packages; one line of JSON for each fact. Arguments: transport URL, topic with a
// server here, topic with none.
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
import { rabbitDriver } from '@oslo-messaging/rabbit'

const [url = '', served = '', unserved = ''] = process.argv.slice(2)
const { agent } = globalThis
const tell = (fact) => process.stdout.write(`${JSON.stringify(fact)}\n`)
const registry = createDriverRegistry({ drivers: [rabbitDriver], discover: false })
const conf = await loadConfig({ overrides: { oslo_messaging_notifications: { driver: ['messagingv2'] } } })
const transport = await getRpcTransport(conf, { url, registry })

const endpoint = {
  async note(_context, { n }) {
    // Later ones wait for a worker meanwhile.
    await new Promise((resolve) => setImmediate(resolve))
    tell({ handled: `cast ${n}`, trace: agent.activeTrace() })
  },
  echo(_context, { n }) {
    tell({ handled: `call ${n}`, trace: agent.activeTrace() })
    return n
  },
}
const server = getRpcServer(transport, new Target({ topic: served, server: 'a' }), [endpoint])
await server.start()

const notifications = await getNotificationTransport(conf, { url, registry })
const listener = getNotificationListener(
  notifications,
  [new Target({ topic: `${served}-notifications` })],
  [
    {
      info(_context, _publisher, event) {
        tell({ handled: event, trace: agent.activeTrace() })
      },
    },
  ],
)
await listener.start()
const notifier = new Notifier(notifications, { topics: [`${served}-notifications`], publisherId: 'test' })

/** Sends in a trace of its own, and says which. */
async function send(what, work) {
  try {
    tell({ sent: what, trace: await agent.inTrace(work) })
  } catch (error) {
    tell({ failed: what, error: String(error) })
  }
}

const here = getRpcClient(transport, new Target({ topic: served }), { timeoutMs: 10_000 })
const away = getRpcClient(transport, new Target({ topic: unserved }), { timeoutMs: 10_000 })
// More at once than are under way at the same time, before there is a connection: most of them stand in line.
await Promise.all(Array.from({ length: 400 }, (_, n) => send(`away ${n}`, () => away.cast({}, 'note', { n }))))
await Promise.all(Array.from({ length: 200 }, (_, n) => send(`cast ${n}`, () => here.cast({}, 'note', { n }))))
for (let n = 400; n < 405; n += 1) {
  await send(`away ${n}`, () => away.cast({}, 'note', { n }))
  await send(`cast ${n}`, () => here.cast({}, 'note', { n }))
  await send(`call ${n}`, () => here.call({}, 'echo', { n }))
  await send(`notification ${n}`, () => notifier.info({}, `notification ${n}`, {}))
}
await server.stop()
await server.wait()
await listener.stop()
await listener.wait()
await transport.close()
await notifications.close()
tell({ done: true, spans: agent.endedSpans?.() ?? null })
process.exit(0)
