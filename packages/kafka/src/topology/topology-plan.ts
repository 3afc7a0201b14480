import {
  InvalidTarget,
  type MigrationSide,
  type TopologyPlan,
  type TopologyUse,
  UnsupportedCapability,
} from '@oslo-messaging/core/driver'
import type { KafkaOptions } from '../config.ts'
import { checkTopicName, formatTopicName, topicsToRead, topicToSend, type VhostMode } from './topic-name.ts'

interface Needed {
  readonly use: TopologyUse
  readonly topics: readonly string[]
  /** Consumer group; null: notifiers have none. */
  readonly group: string | null
}

/** The Kafka topics that notifiers write and listeners read. Throws UnsupportedCapability for RPC, InvalidTarget for
 *  a name that Kafka does not take. */
export function planTopology(side: MigrationSide<KafkaOptions>, uses: readonly TopologyUse[]): TopologyPlan {
  const needed = uses.map((use) => neededBy(side, use))
  const roles = new Map<string, Set<TopologyUse['role']>>()
  for (const { use, topics } of needed)
    for (const topic of topics) roles.set(topic, (roles.get(topic) ?? new Set()).add(use.role))
  const bootstrap = side.url.hosts.map(({ hostname, port }) => `${hostname ?? 'localhost'}:${port ?? 9092}`).join(',')
  return {
    declarations: [...roles].map(([name, by]) => ({
      kind: 'topic',
      name,
      properties: 'made by the broker where auto.create.topics.enable is on',
      roles: [...by],
    })),
    documents: {
      kafka: [...roles.keys()]
        .map((topic) => `kafka-topics.sh --bootstrap-server ${bootstrap} --create --if-not-exists --topic ${topic}\n`)
        .join(''),
      permissions: needed.map((each) => aclCommands(each, bootstrap)).join(''),
    },
  }
}

function neededBy({ url, options }: MigrationSide<KafkaOptions>, use: TopologyUse): Needed {
  const { role, target, pool, priorities } = use
  if (role !== 'notifier' && role !== 'listener')
    throw new UnsupportedCapability('rpc', 'kafka is notify-only: it declares nothing for RPC servers and clients')
  const { topic } = target
  if (topic === null || topic === '') throw new InvalidTarget('A topic is needed', target)
  const vhost = url.virtualHost === '' ? null : url.virtualHost
  const mode = options.kafka_vhost_mode as VhostMode
  const topics = priorities.flatMap((priority) =>
    role === 'notifier'
      ? [topicToSend(formatTopicName(topic, priority, null), vhost, mode)]
      : topicsToRead(topic, priority, vhost, mode),
  )
  for (const each of topics) checkTopicName(each)
  return { use, topics, group: role === 'listener' ? (pool ?? options.consumer_group) : null }
}

/** The rights of docs/operations/security.md. */
function aclCommands({ use, topics, group }: Needed, bootstrap: string): string {
  const allow = `kafka-acls.sh --bootstrap-server ${bootstrap} --add --allow-principal User:USER`
  const operations = `--operation ${group === null ? 'Write' : 'Read'} --operation Describe`
  const lines = [
    `# ${use.role} of ${use.target.topic}`,
    `${allow} ${operations} ${topics.map((topic) => `--topic ${topic}`).join(' ')}`,
    ...(group === null ? [] : [`${allow} --operation Read --group '${group.replaceAll("'", `'\\''`)}'`]),
  ]
  return `${lines.join('\n')}\n`
}
