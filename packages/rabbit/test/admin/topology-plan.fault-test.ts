import {
  createDriverRegistry,
  getNotificationListener,
  getNotificationTransport,
  getRpcClient,
  getRpcServer,
  getRpcTransport,
  Notifier,
} from '@oslo-messaging/core'
import { Target, type TopologyUse, TransportURL } from '@oslo-messaging/core/driver'
import { describe, expect, it } from 'vitest'
import { planTopology } from '../../src/admin/topology-plan.ts'
import type { RabbitOptions } from '../../src/config.ts'
import { rabbitDriver } from '../../src/index.ts'
import { rabbit, unique } from '../support/broker.ts'
import { rabbitOptions } from '../support/open-driver.ts'

const broker = await rabbit()
const registry = createDriverRegistry({ drivers: [rabbitDriver], discover: false })
const CONFIGURATIONS: readonly (readonly [string, Partial<RabbitOptions>])[] = [
  ['plain', {}],
  ['durable', { amqp_durable_queues: true }],
  ['quorum', { rabbit_quorum_queue: true, rabbit_quorum_delivery_limit: 5 }],
  ['stream', { rabbit_transient_quorum_queue: true, rabbit_stream_fanout: true, rabbit_qos_prefetch_count: 10 }],
]
const use = (role: TopologyUse['role'], topic: string, changes: Partial<TopologyUse> = {}): TopologyUse => ({
  role,
  target: new Target({ topic }),
  pool: null,
  priorities: role.startsWith('rpc') ? [] : ['info'],
  ...changes,
})

describe.skipIf(broker === undefined)('what the topology of a configuration says', () => {
  if (broker === undefined) return

  /** What a virtual host has, as the broker prints it, but for what a process named for itself. */
  async function has(vhost: string): Promise<readonly string[]> {
    const place = `<<"${vhost}">>`
    const name = (list: string): string => `element(4,proplists:get_value(name,${list}))`
    const lines = (kind: string, each: string, all: string): string =>
      `[io_lib:format("${kind} ~0p~n",[${each}])||I<-${all}]`
    const list = [
      lines(
        'queue',
        `{${name('I')},lists:sort(proplists:get_value(arguments,I)),[P||{K,_}=P<-I,K==durable orelse K==auto_delete]}`,
        `rabbit_amqqueue:info_all(${place},[name,durable,auto_delete,arguments])`,
      ),
      lines(
        'exchange',
        `{${name('I')},proplists:delete(name,I)}`,
        `rabbit_exchange:info_all(${place},[name,type,durable,auto_delete,internal,arguments])`,
      ),
      lines('binding', 'I', `rabbit_binding:info_all(${place},[source_name,destination_name,routing_key,arguments])`),
    ].join('++')
    const printed = await broker?.control.eval(`binary_to_list(binary:encode_hex(iolist_to_binary(${list})))`)
    const hex = (printed ?? '').replaceAll(/[^0-9A-F]/g, '')
    // JSON has one kind of number; the broker compares values.
    const text = Buffer.from(hex, 'hex')
      .toString()
      .replaceAll(/signedint|long(?=,\d)/g, 'integer')
    return text
      .split('\n')
      .filter((line) => line !== '' && !/reply_|_fanout_/.test(line))
      .toSorted()
  }

  it.each(CONFIGURATIONS)(
    '%s - its definitions make what services make, and services start upon them',
    async (_, options) => {
      const [made, imported] = [unique('made'), unique('imported')]
      const query = Object.entries(options)
        .map(([name, value]) => `${name}=${String(value)}`)
        .join('&')
      const start = async (vhost: string): Promise<() => Promise<void>> => {
        const url = `${broker.urlFor({ vhost })}?${query}`
        const rpc = await getRpcTransport({ url, registry })
        const bus = await getNotificationTransport({ url, registry })
        const target = { topic: 'work', server: 'node1' }
        const server = getRpcServer<{ echo(args: { n: number }): number }>(rpc, target, {
          echo: (_context, { n }) => n,
        })
        await server.start()
        const client = getRpcClient(rpc, { topic: 'work' })
        expect(await client.call({}, 'echo', { n: 7 }, { timeoutMs: 10_000 })).toBe(7)
        const listener = getNotificationListener(bus, [{ topic: 'read' }], [{ info: () => {} }])
        await listener.start()
        const pool = getNotificationListener(bus, [{ topic: 'read' }], [{ info: () => {} }], { pool: 'audit' })
        await pool.start()
        const sender = { publisherId: 'tests', driver: 'messagingv2', topics: ['sent'] }
        await new Notifier(bus, sender).info({}, 'created', {})
        return async () => {
          await bus.close()
          await rpc.close()
        }
      }
      await Promise.all([broker.vhost(made), broker.vhost(imported)])
      const side = {
        url: TransportURL.parse(broker.urlFor({ vhost: imported })),
        options: rabbitOptions(options),
        defaultExchange: 'openstack',
      }
      const plan = planTopology(side, [
        use('rpc-server', 'work', { target: new Target({ topic: 'work', server: 'node1' }) }),
        use('rpc-client', 'work'),
        use('listener', 'read'),
        use('listener', 'read', { pool: 'audit' }),
        use('notifier', 'sent'),
      ])
      const definitions = Buffer.from(plan.documents['rabbitmq'] ?? '').toString('base64')
      try {
        const close = await start(made)
        await broker.control.eval(`rabbit_definitions:import_raw(base64:decode(<<"${definitions}">>))`)
        const [before, planned] = [await has(made), await has(imported)]
        expect(planned.length).toBeGreaterThan(8)
        expect(planned).toEqual(before)
        await close()
        // The broker refuses a service that declares anything otherwise than it is.
        await (
          await start(imported)
        )()
      } finally {
        await broker.control.deleteVhost(made)
        await broker.control.deleteVhost(imported)
      }
    },
  )
})
