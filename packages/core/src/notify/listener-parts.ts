import type { Logger } from '../diagnostics/logger.ts'
import type { NotificationSource, StartFrom } from '../driver/driver.ts'
import type { IncomingNotification } from '../driver/messages.ts'
import type { IdempotencyOptions } from '../idempotency/idempotency-store.ts'
import { Once } from '../idempotency/once.ts'
import { NoOpSerializer } from '../serializer/no-op-serializer.ts'
import { checkSerializer, type Serializer } from '../serializer/serializer.ts'
import type { Target, TargetFields } from '../target.ts'
import { readTarget, requireTransport } from '../transport/check-target.ts'
import type { Interceptors } from '../transport/interceptor.ts'
import { interceptNotification } from '../transport/settling.ts'
import { busOf } from '../transport/bus.ts'
import type { Transport } from '../transport/transport.ts'
import { checkList, checkOptions, kindOf, type OptionNames } from '../util/check.ts'
import {
  type FailureAction,
  type FailurePolicy,
  type ResolvedFailurePolicy,
  resolveFailurePolicy,
} from './failure-policy.ts'
import { Pausing } from '../server/pausing.ts'
import { NotificationClaims } from './notification-claims.ts'
import { NotificationReporter } from './reporter.ts'

/** Settings of a listener; everything may be left out. */
export interface NotificationListenerOptions {
  /** Listeners of one pool share a copy of each notification; those without a pool share another. Default null. */
  readonly pool?: string | null | undefined
  /** Endpoints may hand a notification back by REQUEUE or by throwing. Default false: both are acknowledged. */
  readonly allowRequeue?: boolean | undefined
  readonly serializer?: Serializer | undefined
  /** What becomes of a notification whose endpoint throws: an action, or a whole policy. What is left out comes from
   *  `[oslo_messaging_nodejs]`, which is oslo's behaviour unless configured. */
  readonly onFailure?: FailurePolicy | FailureAction | undefined
  /** Handle a notification once, although the broker delivers it again when a listener dies or loses its connection:
   *  processes tell each other through a store, by `message_id`. Default: it is handled again. */
  readonly idempotency?: IdempotencyOptions | undefined
  /** Most notifications (or batches) handled at the same time. */
  readonly workers?: number | undefined
  /** Where the listener's group (its pool) begins in what it has never read: at the oldest, behind the newest, at the
   *  first one not older than a time (a Date, or milliseconds since 1970), or at an offset. What it has read goes on
   *  where it stood. Default: as the driver's options say (`auto_offset_reset` of Kafka). */
  readonly startFrom?: ListenerStart | undefined
}

/** Where a listener begins that its broker does not know yet. */
export type ListenerStart = StartFrom | { readonly timestamp: Date }

export const LISTENER_OPTIONS: OptionNames<NotificationListenerOptions> = {
  pool: true,
  allowRequeue: true,
  serializer: true,
  onFailure: true,
  idempotency: true,
  workers: true,
  startFrom: true,
}

/** What both kinds of listener begin with. */
export interface ListenerParts {
  /** For people: names the topics. */
  readonly name: string
  readonly targets: readonly Target[]
  readonly serializer: Serializer
  readonly allowRequeue: boolean
  readonly pool: string | null
  /** For the driver. */
  readonly start: { readonly startFrom?: StartFrom }
  readonly logger: Logger
  readonly reporter: NotificationReporter
  readonly policy: ResolvedFailurePolicy
  /** Undefined: nobody asks whether a notification was handled before. */
  readonly claims: NotificationClaims | undefined
  readonly pausing: Pausing
  readonly driver: string
  readonly interceptors: Interceptors
}

/** Checks what can be checked before the broker is asked. Throws UnsupportedCapability, naming what to use instead. */
export function prepareListener(
  transport: Transport,
  given: readonly (Target | TargetFields)[],
  options: NotificationListenerOptions,
  names: Readonly<Record<string, true>>,
): ListenerParts {
  requireTransport(transport, 'A notification listener')
  checkList('The targets of a notification listener', given, "[{ topic: 'notifications' }]")
  if (given.length === 0) throw new TypeError('A notification listener needs at least one target')
  const targets = given.map((target) => readTarget(target, 'A notification listener'))
  checkOptions('A notification listener', options, names)
  const { pool = null, serializer = new NoOpSerializer(), idempotency } = options
  if (pool !== null && (typeof pool !== 'string' || pool === ''))
    throw new TypeError(
      `pool must be a name, or null for the unpooled listeners, not ${pool === '' ? 'empty text' : kindOf(pool)}`,
    )
  if (options.allowRequeue !== undefined && typeof options.allowRequeue !== 'boolean')
    throw new TypeError(`allowRequeue must be true or false, not ${kindOf(options.allowRequeue)}`)
  checkSerializer(serializer)
  const bus = busOf(transport)
  bus.warnUnlessKind('notification', 'A notification listener')
  bus.require('notifications')
  const policy = resolveFailurePolicy(transport.conf, options.onFailure, bus.failureDefaults)
  if (policy.then === 'dead-letter') bus.require('deadLetters')
  const allowRequeue = options.allowRequeue === true || policy.then === 'requeue'
  if (allowRequeue) bus.require('requeue')
  if (pool !== null) bus.require('pools')
  const start = options.startFrom === undefined ? {} : { startFrom: readStart(options.startFrom) }
  if (options.startFrom !== undefined) bus.require('startPositions')
  const { logger, clock, driverName: driver } = transport
  const topics = targets.map((target) => target.topic ?? String(target)).join(', ')
  const name = `notification listener ${topics}${pool === null ? '' : ` (pool ${pool})`}`
  const reporter = new NotificationReporter({ driver, source: name, logger })
  const claims =
    idempotency === undefined
      ? undefined
      : new NotificationClaims(new Once(idempotency, { name, scope: name, clock, logger }), reporter)
  return {
    name,
    targets,
    serializer,
    allowRequeue,
    pool,
    start,
    logger,
    reporter,
    policy,
    claims,
    driver,
    interceptors: bus.interceptors,
    pausing: new Pausing({ name, driver, settings: policy.pause, logger, clock }),
  }
}

function readStart(given: ListenerStart): StartFrom {
  if (given === 'earliest' || given === 'latest') return given
  const { timestamp, offset }: { readonly timestamp?: unknown; readonly offset?: unknown } = Object(given)
  const time = timestamp instanceof Date ? timestamp.getTime() : timestamp
  if (offset === undefined && isPosition(time)) return { timestamp: time }
  if (timestamp === undefined && isPosition(offset)) return { offset }
  throw new TypeError(
    `startFrom must be 'earliest', 'latest', { timestamp } with a Date or milliseconds since 1970, or { offset } with a whole number from 0 on`,
  )
}

function isPosition(value: unknown): value is number {
  return Number.isSafeInteger(value) && Number(value) >= 0
}

/** Every target with every priority. */
export function sourcesOf(targets: readonly Target[], priorities: readonly string[]): readonly NotificationSource[] {
  return targets.flatMap((target) => priorities.map((priority) => ({ target, priority })))
}

/** The notification as the broker gave it, or with the interceptors around its settling when there are any. */
export function withInterceptors(
  incoming: IncomingNotification,
  { interceptors: { settle }, driver, name }: ListenerParts,
): IncomingNotification {
  return settle === undefined ? incoming : interceptNotification(incoming, settle, { driver, receiver: name })
}

/** What to do with a notification that no worker took before the listener stopped: hand it back where the driver can.
 *  Undefined: it has to be handled, because the broker has forgotten it already. */
export function handBackOf(transport: Transport, incoming: IncomingNotification): (() => void) | undefined {
  const { requeue, notificationAcknowledgement } = transport.capabilities
  if (notificationAcknowledgement === 'before-handler' || incoming.isSettled === true) return undefined
  // Without `requeue` closing the subscription returns what was not settled.
  return requeue ? () => incoming.requeue() : () => incoming.leave?.()
}
