import { Target, type TopologyUse, TransportURL } from '@oslo-messaging/core/driver'
import { describe, expect, it } from 'vitest'
import { type KafkaOptions, kafkaConfig } from '../../src/config.ts'
import { planTopology } from '../../src/topology/topology-plan.ts'

const defaults = Object.fromEntries(Object.entries(kafkaConfig.options).map(([name, option]) => [name, option.default]))
const side = (options: Partial<KafkaOptions> = {}, url = 'kafka://user:secret@one,two:9093/v') => ({
  url: TransportURL.parse(url),
  options: { ...defaults, ...options } as KafkaOptions,
  defaultExchange: 'openstack',
})
const use = (role: TopologyUse['role'], changes: Partial<TopologyUse> = {}): TopologyUse => ({
  role,
  target: new Target({ topic: 'n' }),
  pool: null,
  priorities: ['info', 'error'],
  ...changes,
})

describe('the topics of a configuration', () => {
  it.each([
    { mode: 'append', notifier: ['n.info.v', 'n.error.v'], listener: ['n.info.v', 'n.error.v'] },
    { mode: 'both', notifier: ['n.info.v', 'n.error.v'], listener: ['n.info.v', 'n.info', 'n.error.v', 'n.error'] },
    { mode: 'compat', notifier: ['n.info', 'n.error'], listener: ['n.info.v', 'n.info', 'n.error.v', 'n.error'] },
  ])('kafka_vhost_mode = $mode - where notifiers write and listeners read', ({ mode, notifier, listener }) => {
    const names = (role: TopologyUse['role']): readonly string[] =>
      planTopology(side({ kafka_vhost_mode: mode }), [use(role)]).declarations.map(({ name }) => name)
    expect(names('notifier')).toEqual(notifier)
    expect(names('listener')).toEqual(listener)
  })

  it('each topic once, with who uses it; no password', () => {
    const plan = planTopology(side(), [use('notifier'), use('listener')])
    expect(plan.declarations.map(({ name, roles }) => [name, ...roles])).toEqual([
      ['n.info.v', 'notifier', 'listener'],
      ['n.error.v', 'notifier', 'listener'],
    ])
    expect(plan.documents['kafka']).toBe(
      ['n.info.v', 'n.error.v']
        .map(
          (name) => `kafka-topics.sh --bootstrap-server one:9092,two:9093 --create --if-not-exists --topic ${name}\n`,
        )
        .join(''),
    )
    expect(JSON.stringify(plan)).not.toContain('secret')
  })

  it('rights - of a notifier on its topics, of a listener on its topics and its group or pool', () => {
    const rights = (role: TopologyUse['role'], pool: string | null): string =>
      planTopology(side({}, 'kafka://one/'), [use(role, { pool, priorities: ['info'] })]).documents['permissions'] ?? ''
    const allow = 'kafka-acls.sh --bootstrap-server one:9092 --add --allow-principal User:USER'
    expect(rights('notifier', null)).toBe(
      `# notifier of n\n${allow} --operation Write --operation Describe --topic n.info\n`,
    )
    const reads = `# listener of n\n${allow} --operation Read --operation Describe --topic n.info\n`
    expect(rights('listener', null)).toBe(`${reads}${allow} --operation Read --group 'oslo_messaging_consumer'\n`)
    expect(rights('listener', 'audit')).toBe(`${reads}${allow} --operation Read --group 'audit'\n`)
  })

  it('RPC, a name that Kafka does not take - is refused', () => {
    expect(() => planTopology(side(), [use('rpc-client')])).toThrow('kafka is notify-only')
    const odd = use('notifier', { target: new Target({ topic: 'a b' }) })
    expect(() => planTopology(side(), [odd])).toThrow('use at most 249 letters')
  })
})
