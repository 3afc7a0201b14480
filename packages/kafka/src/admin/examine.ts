import type { BrokerFinding } from '@oslo-messaging/core/driver'
import type { AdminPort, ClientFault, CompressionCodec, TopicFacts } from '../port/client-port.ts'
import { toFault } from '../port/map-error.ts'

/** What is asked, and what this configuration needs. */
export interface Examination {
  readonly topics: readonly string[]
  readonly codec: CompressionCodec
  /** Rejects when the package of the codec is not installed. */
  readonly tryCodec: () => Promise<void>
}

/** Whether topics keep what is sent to them, and whether this process can write it. Nothing is made or changed. */
export async function examine(
  admin: AdminPort,
  { topics, codec, tryCodec }: Examination,
): Promise<readonly BrokerFinding[]> {
  const findings: BrokerFinding[] = []
  try {
    await tryCodec()
  } catch (error) {
    findings.push({
      severity: 'error',
      check: 'codecs',
      what: `compression_codec = ${codec} cannot be used: ${error instanceof Error ? error.message : String(error)}`,
      why: 'Notifications cannot be sent.',
      fix: 'Install the package that is named, or choose gzip or none.',
    })
  }
  const makesTopics = await automaticTopics(admin, findings)
  const absent: string[] = []
  for (const topic of topics) {
    try {
      findings.push(...judgeTopic(topic, await admin.topicFacts(topic)))
    } catch (error) {
      const fault = toFault(error)
      if (fault.type === 'UNKNOWN_TOPIC_OR_PARTITION') absent.push(topic)
      else findings.push(notAsked(topic, fault))
    }
  }
  if (absent.length > 0) findings.push(missing(absent, makesTopics))
  // Last: a broker that does not know this question closes the connection.
  findings.push(await examineClock(admin))
  return findings
}

const APART_MS = 5000

/** Of all that may be asked without a record being written, the controller's answer about its quorum alone tells the
 *  time. */
async function examineClock(admin: AdminPort): Promise<BrokerFinding> {
  const askedAt = Date.now()
  let theirs: number
  try {
    theirs = await admin.controllerClock()
  } catch (error) {
    return {
      severity: 'note',
      check: 'clock',
      what: `What time it is for Kafka is not known (${toFault(error).type})`,
      why: 'It refuses records that are too far from its own time, and keeps others for longer or shorter than is meant.',
      fix: 'Only a controller of KRaft (3.3 or newer) tells it, to a user with Describe on the cluster: compare the clocks by hand.',
    }
  }
  // It was told at some time between the question and the answer.
  const apart = Math.max(askedAt - theirs, theirs - Date.now(), 0)
  if (apart <= APART_MS)
    return {
      severity: 'ok',
      check: 'clock',
      what: `The clocks of Kafka's controller and this machine are at most ${apart} ms apart`,
      why: '',
      fix: '',
    }
  return {
    severity: 'warning',
    check: 'clock',
    what: `The clocks of Kafka's controller and this machine are ${Math.round(apart / 1000)} s apart`,
    why: 'Kafka refuses records that are too far from its own time, and keeps others for longer or shorter than is meant.',
    fix: 'Run a time service on both.',
  }
}

/** null: the broker does not let this user ask. */
async function automaticTopics(admin: AdminPort, findings: BrokerFinding[]): Promise<boolean | null> {
  let settings: Readonly<Record<string, string>>
  try {
    settings = await admin.brokerSettings()
  } catch (error) {
    findings.push(notAsked('settings of the broker', toFault(error)))
    return null
  }
  if (settings['auto.create.topics.enable'] !== 'true') return false
  const { 'num.partitions': partitions = '?', 'default.replication.factor': copies = '?' } = settings
  findings.push({
    severity: 'note',
    check: 'auto-create',
    what: `Kafka makes whatever topic is named, with ${partitions} partitions and ${copies} copies`,
    why: 'A mistyped topic is none of its own accord: notifications go there and nobody reads them.',
    fix: 'Make topics beforehand (oslo-msg topology --format kafka) and set auto.create.topics.enable = false.',
  })
  return true
}

function missing(topics: readonly string[], makesTopics: boolean | null): BrokerFinding {
  const names = topics.join(', ')
  return makesTopics === true
    ? {
        severity: 'note',
        check: 'topics',
        what: `There is no topic ${names} yet`,
        why: 'The first notification makes it, with the defaults of the broker.',
        fix: 'Make it beforehand with as many partitions and copies as it needs.',
      }
    : {
        severity: 'error',
        check: 'topics',
        what: `There is no topic ${names}, and the broker makes none`,
        why: 'Notifications to it are refused, and listeners do not start.',
        fix: 'oslo-msg topology --format kafka prints the command that makes it.',
      }
}

function notAsked(what: string, { type }: ClientFault): BrokerFinding {
  return {
    severity: 'note',
    check: 'topics',
    what: `${what}: not looked at (${type})`,
    why: 'This user may not ask, or the broker did not answer.',
    fix: 'Ask with a user that has Describe and DescribeConfigs.',
  }
}

const THREE_COPIES = 'Use a replication factor of 3 with min.insync.replicas = 2.'

/** Reliability of one topic. */
export function judgeTopic(topic: string, { partitions, settings }: TopicFacts): readonly BrokerFinding[] {
  const findings: BrokerFinding[] = []
  const add = (severity: BrokerFinding['severity'], check: string, what: string, why = '', fix = ''): void =>
    void findings.push({ severity, check, what, why, fix })
  const copies = Math.min(...partitions.map(({ replicas }) => replicas))
  const inSync = Math.min(...partitions.map((each) => each.inSync))
  const least = Number(settings['min.insync.replicas'] ?? '1')
  const leaderless = partitions.filter(({ hasLeader }) => !hasLeader).length
  if (leaderless > 0)
    add(
      'error',
      'partitions',
      `${topic}: ${leaderless} of ${partitions.length} partitions have no leader`,
      'What goes there is neither taken nor read.',
      'Bring the brokers back that hold them.',
    )
  if (copies === 1)
    add(
      'warning',
      'min.insync.replicas',
      `${topic} has one copy`,
      'A disk that is lost takes acknowledged notifications with it, and a broker that is down stops everybody.',
      THREE_COPIES,
    )
  else if (least >= copies)
    add(
      'warning',
      'min.insync.replicas',
      `${topic}: min.insync.replicas is ${least} of ${copies} copies`,
      'As soon as one broker is down every notification is refused (NOT_ENOUGH_REPLICAS).',
      copies > 2 ? `Set it to ${copies - 1}.` : THREE_COPIES,
    )
  else if (least === 1)
    add(
      'warning',
      'min.insync.replicas',
      `${topic}: min.insync.replicas is 1 of ${copies} copies`,
      'A notification may be acknowledged by one broker alone, and is lost with it.',
      copies > 2 ? 'Set it to 2.' : THREE_COPIES,
    )
  if (inSync < least)
    add(
      'error',
      'min.insync.replicas',
      `${topic}: ${inSync} copies are in sync, and min.insync.replicas is ${least}`,
      'Every notification is refused now (NOT_ENOUGH_REPLICAS).',
      'Bring the brokers back that are behind.',
    )
  else if (inSync < copies)
    add(
      'warning',
      'partitions',
      `${topic}: ${inSync} of ${copies} copies are in sync`,
      'The next broker that fails may stop everybody.',
      'Look at the brokers that are behind.',
    )
  if (settings['cleanup.policy']?.includes('compact') === true)
    add(
      'warning',
      'topics',
      `${topic} is compacted`,
      'Notifications without an ordering key are refused, and of those with one only the last is kept.',
      'Set cleanup.policy = delete.',
    )
  if (findings.length === 0)
    add('ok', 'topics', `${topic}: ${partitions.length} partitions, ${copies} copies, min.insync.replicas ${least}`)
  return findings
}
