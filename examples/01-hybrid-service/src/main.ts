import { getMessaging, isMessagingError, RemoteError } from '@oslo-messaging/core'
import { readFlags } from './flags.ts'
import { createStory } from './story.ts'
import { Tally } from './tally.ts'
import { type WarehouseMethods, WarehouseV1, WarehouseV2 } from './warehouse.ts'

const flags = readFlags()
const story = createStory(flags.json)
const tally = new Tally()

// The configuration of the deployment decides which drivers are used. Environment variables such as
// OS_DEFAULT__TRANSPORT_URL win over the file.
const messaging = await getMessaging({ configFiles: flags.configFile, env: process.env })
const { rpc, notifications: bus } = messaging
story.tell('transports', `RPC over ${rpc.url.transport}://, notifications over ${bus.url.transport}://`, {
  rpc: rpc.url.transport,
  notifications: bus.url.transport,
})

// Two servers share one topic; each has both versions of the interface.
const servers = ['north', 'south'].map((server) =>
  messaging.server({ topic: 'warehouse', server }, [new WarehouseV1(), new WarehouseV2(server, tally)]),
)

// Every pool gets its own copy of each notification and shares it among its members. A listener without a pool gets a
// copy too.
const listen = (name: string, pool?: string) =>
  messaging.listener(
    [{ topic: 'warehouse_events' }],
    [
      {
        info(_context: object, publisherId: string | null, eventType: string) {
          tally.add(`${pool ?? name} heard ${eventType} from ${publisherId}`)
        },
      },
    ],
    pool === undefined ? {} : { pool },
  )
const listeners = [listen('audit'), listen('billing-1', 'billing'), listen('billing-2', 'billing')]

await messaging.start()
story.tell('started', 'Two servers and three listeners are up.', {
  servers: servers.length,
  listeners: listeners.length,
})

const context = { user_id: 'alice', project_id: 'tools', request_id: 'req-1' }
const client = messaging.client<WarehouseMethods>({ topic: 'warehouse', version: '2.0' })

const old = await client.prepare({ version: '1.0' }).call(context, 'reserve', { item: 'bolt', count: 1 })
story.tell('call', `call 1.0: ${old.count} ${old.item} reserved`, { version: '1.0', result: old })

const north = client.prepare({ server: 'north' })
const reserved = await north.call(context, 'reserve', { item: 'bolt', count: 4 })
story.tell('call', `call 2.0: ${reserved.count} ${reserved.item} reserved by ${reserved.by}, ${reserved.left} left`, {
  version: '2.0',
  result: reserved,
})

try {
  await north.call(context, 'reserve', { item: 'bolt', count: 40 })
} catch (error) {
  // The exception of the far side comes back as itself, because Python's own classes are on the list of those that may.
  if (!(error instanceof Error)) throw error
  const line = error.message.split('\n')[0]
  story.tell('refused', `call 2.0 refused by the server: ${error.name}: ${line}`, { error: error.name, message: line })
}

try {
  await client.prepare({ version: '3.0' }).call(context, 'reserve', { item: 'bolt', count: 1 })
} catch (error) {
  if (!isMessagingError(error)) throw error
  const type = error instanceof RemoteError ? error.excType : error.name
  story.tell('unsupported', `call 3.0: ${type}, no server has that version`, { error: type })
}

await client.cast(context, 'restock', { item: 'bolt', count: 100 })
await tally.reached('restocked', 1)
story.tell('cast', 'cast: one server restocked, nobody waited for an answer', { restocked: tally.count('restocked') })

await client.prepare({ fanout: true }).cast(context, 'refresh_cache', {})
await Promise.all([tally.reached('refreshed by north', 1), tally.reached('refreshed by south', 1)])
story.tell('fanout', 'fanout: north and south both refreshed their caches', { servers: ['north', 'south'] })

const notifier = messaging.notifier({ publisherId: 'warehouse.north' })
const shipped = 'shipment.sent'
for (const parcel of [1, 2, 3]) await notifier.info(context, shipped, { parcel })
story.tell('notified', 'notify: three shipments are stored by the broker', { notifications: 3 })
for (const name of ['audit', 'billing']) {
  await tally.reached(`${name} heard ${shipped} from warehouse.north`, 3)
  story.tell('heard', `${name} heard of all three`, { listener: name, notifications: 3 })
}

// No new requests, handlers finish, replies and notifications go out, both buses close. A service says
// messaging.handleSignals().
await messaging.drain()
story.tell('done', 'Everything was drained and closed.')
