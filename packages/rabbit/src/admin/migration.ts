import { type MigrationChange, type MigrationPlan, type MigrationSide, Target } from '@oslo-messaging/core/driver'
import type { ExchangeDeclaration, QueueDeclaration } from '../client/client.ts'
import type { RabbitOptions } from '../config.ts'
import { virtualHostOf } from '../connection/hosts.ts'
import { createTopology, type QueueKind } from '../topology/topology.ts'
import { moveSteps, type Place, rollingSteps } from './migration-steps.ts'

type Side = MigrationSide<RabbitOptions>

/** What the two configurations declare, compared one by one, and the way from the one to the other. Throws
 *  ConfigurationError when the options of a side exclude each other. */
export function planMigration(from: Side, to: Side): MigrationPlan {
  const [before, after] = [placeOf(from), placeOf(to)]
  const isElsewhere = before.hosts !== after.hosts || before.virtualHost !== after.virtualHost
  const changes = changesBetween(from, to).map((change) =>
    isElsewhere ? { ...change, effect: 'elsewhere' as const } : change,
  )
  if (isElsewhere) changes.unshift({ what: 'place', before: textOf(before), after: textOf(after), effect: 'elsewhere' })
  const count = (effect: MigrationChange['effect']): number => changes.filter((each) => each.effect === effect).length
  if (changes.length === 0)
    return { kind: 'nothing', summary: 'The broker sees no difference between the two.', changes, steps: [] }
  if (count('own') === changes.length)
    return {
      kind: 'rolling',
      summary: 'Only what belongs to one process changes: restart services one after the other, in any order.',
      changes,
      steps: rollingSteps(),
    }
  const summary = isElsewhere
    ? 'The two never meet: messages move from one place to the other.'
    : count('refused') > 0
      ? 'Old and new services cannot be at one virtual host: the broker refuses whoever comes second (406 PRECONDITION_FAILED).'
      : 'New services work at the old virtual host, but with what is there: nothing becomes durable until it is made anew.'
  return { kind: 'move', summary, changes, steps: moveSteps(before, after) }
}

function placeOf({ url }: Side): Place {
  const hosts = url.hosts.map(({ hostname, port }) => `${hostname ?? 'localhost'}:${port ?? 5672}`)
  return { hosts: hosts.toSorted().join(','), virtualHost: virtualHostOf(url) }
}

const textOf = ({ hosts, virtualHost }: Place): string => `virtual host ${virtualHost} of ${hosts}`

/** Whose queue each kind is, for people. */
const QUEUES: Readonly<Record<QueueKind, string>> = {
  topic: 'queues of topics',
  server: 'queues of servers',
  notification: 'queues of notifications and pools',
  fanout: 'queues of fanout',
  reply: 'queues of replies',
}

function changesBetween(from: Side, to: Side): MigrationChange[] {
  const [before, after] = [declarationsOf(from), declarationsOf(to)]
  const changes: MigrationChange[] = []
  for (const [what, old] of before) {
    const next = after.get(what)
    if (next === undefined || next.text === old.text) continue
    changes.push({ what, before: old.text, after: next.text, effect: effectOf(old, next) })
  }
  return changes
}

interface Declared {
  readonly text: string
  /** Others declare it by the same name. */
  readonly shared: boolean
  /** The same declaration without durability, to which a declaration that meets a less durable exchange falls back;
   *  undefined: it has no such form. */
  readonly fallback: string | undefined
}

function effectOf(before: Declared, after: Declared): MigrationChange['effect'] {
  if (!before.shared || !after.shared) return 'own'
  return after.fallback === before.text ? 'kept' : 'refused'
}

/** Everything a deployment declares, by what it is. */
function declarationsOf({ options, defaultExchange }: Side): ReadonlyMap<string, Declared> {
  const topology = createTopology(options, defaultExchange)
  const target = new Target({ topic: 'topic', server: 'server' })
  // A name that no process shares unless the options give it one.
  const own = options.use_queue_manager ? 'stable' : 'own'
  const subscriptions = [
    ...topology.serverSubscriptions(target, own),
    ...topology.listenerSubscriptions([{ target, priority: 'info' }], null),
    topology.replySubscription(`reply_${own}`),
  ]
  const found = new Map<string, Declared>()
  for (const { kind, exchange, queue, stream } of subscriptions) {
    // Only a whole subscription falls back: an exchange whose queue is durable or nothing is refused with it.
    const canFallBack = queue.arguments['x-queue-type'] === undefined
    if (exchange !== null)
      found.set(
        exchange.type === 'fanout' ? 'exchanges of fanout' : 'exchange of topics',
        declaredExchange(exchange, canFallBack),
      )
    const isOwn = (kind === 'fanout' && !stream) || kind === 'reply'
    found.set(QUEUES[kind], declaredQueue(queue, !isOwn || options.use_queue_manager, canFallBack))
  }
  return found
}

function declaredExchange({ durable, autoDelete, name, type }: ExchangeDeclaration, canFallBack: boolean): Declared {
  const text = (isDurable: boolean): string =>
    `${type === 'topic' ? `${name}: ` : ''}${properties(isDurable, autoDelete, {})}`
  return { text: text(durable), shared: true, fallback: durable && canFallBack ? text(false) : undefined }
}

function declaredQueue(queue: QueueDeclaration, shared: boolean, canFallBack: boolean): Declared {
  const { durable, autoDelete, arguments: given } = queue
  const fallback = durable && canFallBack ? properties(false, autoDelete, given) : undefined
  return { text: properties(durable, autoDelete, given), shared, fallback }
}

/** What a queue or an exchange is, for people. */
export function properties(durable: boolean, autoDelete: boolean, given: QueueDeclaration['arguments']): string {
  const rest = Object.entries(given).map(([name, value]) => `${name} = ${String(value)}`)
  return [durable ? 'durable' : 'not durable', ...(autoDelete ? ['auto-delete'] : []), ...rest.toSorted()].join(', ')
}
