import { readFileSync } from 'node:fs'
import { Target, type TopologyUse, TransportURL } from '@oslo-messaging/core/driver'
import { describe, expect, it } from 'vitest'
import { planTopology } from '../../src/admin/topology-plan.ts'
import type { RabbitOptions } from '../../src/config.ts'
import { rabbitOptions } from '../support/open-driver.ts'

const side = (options: Partial<RabbitOptions> = {}, url = 'rabbit://u:secret@a/v') => ({
  url: TransportURL.parse(url),
  options: rabbitOptions(options),
  defaultExchange: 'openstack',
})
const use = (role: TopologyUse['role'], changes: Partial<TopologyUse> = {}): TopologyUse => ({
  role,
  target: new Target({ topic: 'TOPIC', server: role === 'rpc-server' ? 'node1' : null }),
  pool: null,
  priorities: role.startsWith('rpc') ? [] : ['info'],
  ...changes,
})

interface Definitions {
  readonly exchanges: readonly { readonly name: string; readonly durable: boolean }[]
  readonly queues: readonly { readonly name: string; readonly arguments: object }[]
  readonly bindings: readonly { readonly source: string; readonly destination: string; readonly routing_key: string }[]
}
const definitions = (...given: Parameters<typeof planTopology>): Definitions =>
  JSON.parse(planTopology(...given).documents['rabbitmq'] ?? '') as Definitions

describe('what will be declared', () => {
  it('by a server - its queues in the words of the broker, and each thing once although a client needs it too', () => {
    const { declarations } = planTopology(side({ rabbit_quorum_queue: true }), [use('rpc-server'), use('rpc-client')])
    expect(declarations).toContainEqual({
      kind: 'queue',
      name: 'TOPIC',
      properties: 'durable, x-queue-type = quorum',
      roles: ['rpc-server'],
    })
    expect(declarations.filter(({ name }) => name === 'openstack')).toEqual([
      { kind: 'exchange', name: 'openstack', properties: 'topic, durable', roles: ['rpc-server', 'rpc-client'] },
    ])
    expect(declarations.map(({ name }) => name)).toContain('reply_*')
  })

  it('definitions.json - holds what is shared, and not the queues that processes name for themselves', () => {
    const { queues, bindings } = definitions(side(), [use('rpc-server'), use('rpc-client')])
    expect(queues.map(({ name }) => name)).toEqual(['TOPIC', 'TOPIC.node1'])
    expect(bindings.map(({ source, routing_key }) => `${source} ${routing_key}`)).toEqual([
      'openstack TOPIC',
      'openstack TOPIC.node1',
    ])
    const streams = side({
      rabbit_transient_quorum_queue: true,
      rabbit_stream_fanout: true,
      rabbit_qos_prefetch_count: 9,
    })
    expect(definitions(streams, [use('rpc-server')]).queues.at(-1)).toMatchObject({
      name: 'TOPIC_fanout',
      arguments: { 'x-queue-type': 'stream' },
    })
  })

  it('a pool - one queue bound to each topic and priority', () => {
    const listener = use('listener', { pool: 'audit', priorities: ['info', 'error'] })
    const { queues, bindings } = definitions(side(), [listener])
    expect(queues.map(({ name }) => name)).toEqual(['audit'])
    expect(bindings.map(({ routing_key }) => routing_key)).toEqual(['TOPIC.info', 'TOPIC.error'])
  })

  it('resources of the topology operator - have names that Kubernetes takes, each once', () => {
    const clashing = [use('notifier', { priorities: ['info', 'INFO'] })]
    const text = planTopology(side({ rabbit_quorum_queue: true }), clashing).documents['kubernetes'] ?? ''
    const { items } = JSON.parse(text) as {
      readonly items: readonly { readonly kind: string; readonly metadata: { readonly name: string }; spec: object }[]
    }
    const names = items.map(({ metadata }) => metadata.name)
    expect(names.filter((name) => !/^[a-z0-9]([a-z0-9-]*[a-z0-9])?$/.test(name))).toEqual([])
    expect(new Set(names).size).toBe(names.length)
    expect(items.find(({ kind }) => kind === 'Queue')?.spec).toMatchObject({
      name: 'TOPIC.info',
      vhost: 'v',
      type: 'quorum',
      durable: true,
      arguments: {},
    })
  })

  it('says no password, and refuses options that exclude each other', () => {
    expect(JSON.stringify(planTopology(side(), [use('notifier')]))).not.toContain('secret')
    expect(() => planTopology(side({ rabbit_quorum_queue: true, rabbit_ha_queues: true }), [])).toThrow(
      'rabbit_ha_queues',
    )
  })
})

describe('the least rights', () => {
  const page = readFileSync(new URL('../../../../docs/operations/security.md', import.meta.url), 'utf8')
  const wordsOf = (text: string): readonly string[] => [...text.matchAll(/'([^']*)'/g)].map(([, word = '']) => word)
  const commands = (...uses: readonly TopologyUse[]): readonly string[] =>
    (planTopology(side(), uses).documents['permissions'] ?? '').split('\n').filter((line) => line.startsWith('rabbit'))

  it.each([
    ['RPC server', 'rpc-server'],
    ['RPC client', 'rpc-client'],
    ['notifier', 'notifier'],
    ['listener', 'listener'],
  ] as const)('of %s are those of docs/operations/security.md, which are tried on a broker', (title, role) => {
    const row = page.split('\n').find((line) => line.startsWith(`| ${title} |`)) ?? ''
    const patterns = [...row.matchAll(/`([^`]+)`/g)].map(([, pattern = '']) => pattern.replaceAll('\\|', '|'))
    expect(patterns).toHaveLength(3)
    expect(wordsOf(commands(use(role))[0] ?? '')).toEqual(['v', ...patterns])
  })

  it('of several uses - each, and all of them with one login; dots of a topic are dots', () => {
    const target = new Target({ topic: 'a.b' })
    const lines = commands(use('rpc-client', { target }), use('notifier'))
    expect(lines).toHaveLength(3)
    const [, , write = ''] = wordsOf(lines[2] ?? '')
    expect(write).toBe('^(openstack|a\\.b_fanout|reply_.*|TOPIC\\..*)$')
    const [, configure = ''] = wordsOf(commands(use('listener', { pool: 'p' }))[0] ?? '')
    expect(new RegExp(configure).test('p')).toBe(true)
    expect(new RegExp(configure).test('pq')).toBe(false)
  })
})
