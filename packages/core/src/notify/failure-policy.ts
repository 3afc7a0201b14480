import type { MessagingConfig } from '../config/messaging-config.ts'
import type { FailureDefaults } from '../driver/driver.ts'
import { readPause } from '../server/pause-settings.ts'
import type { PauseSettings } from '../server/pause-switch.ts'
import { checkChoice, checkFunction, checkOptions, type OptionNames, shown } from '../util/check.ts'
import type { ReceivedNotification } from './endpoint.ts'

/** What becomes of a notification whose endpoint throws once its attempts are spent.
 *  `default`: as oslo, acknowledged and reported, or handed back when the listener allows requeue.
 *  `dead-letter`: kept by the broker with the reason, where `oslo-msg redrive` finds it.
 *  `discard`: refused, so that it is lost unless the broker has a policy of its own for what is refused.
 *  `requeue`: back to the broker, to be delivered again, after the next wait of `backoff`.
 *  `stop`: back to the broker, and the listener ends: its `closed` rejects with the error.
 *  `pause`: kept and tried again; when too many fail, the listener takes nothing until one passes. */
export type FailureAction = 'default' | 'dead-letter' | 'discard' | 'requeue' | 'stop' | 'pause'

export const FAILURE_ACTIONS: readonly FailureAction[] = [
  'default',
  'dead-letter',
  'discard',
  'requeue',
  'stop',
  'pause',
]

/** Waits between attempts, milliseconds. They grow from `initialMs` by `factor` up to `maxMs`, and are the same each
 *  time: a broker may need a queue for each length. */
export interface FailureBackoff {
  readonly initialMs: number
  /** Default 2. */
  readonly factor?: number
  /** Default 60 000, or `initialMs` when that is longer. */
  readonly maxMs?: number
}

/** What becomes of notifications whose endpoints throw. What is left out comes from `[oslo_messaging_nodejs]`. */
export interface FailurePolicy {
  /** Attempts in all, at least 1. Attempts of other listeners count where the broker tells of them. Default 1. */
  readonly attempts?: number
  /** Waits between attempts: milliseconds, or how they grow. Default: 1000, doubled each time, 60 000 at most. */
  readonly backoff?: number | FailureBackoff
  /** False ends the attempts early: the failure cannot mend itself. Must not throw. Default: always. */
  readonly retryIf?: (error: unknown, notification: ReceivedNotification) => boolean
  readonly then?: FailureAction
  /** Stop taking notifications while too many fail, whatever `then` says. Default: only with `then: 'pause'`. */
  readonly pause?: PauseSettings
}

/** A policy without gaps. */
export interface ResolvedFailurePolicy {
  readonly attempts: number
  readonly backoff: Required<FailureBackoff>
  readonly retryIf: (error: unknown, notification: ReceivedNotification) => boolean
  readonly then: FailureAction
  readonly pause: Required<PauseSettings> | null
}

const POLICY: OptionNames<FailurePolicy> = { attempts: true, backoff: true, retryIf: true, then: true, pause: true }
const BACKOFF: OptionNames<FailureBackoff> = { initialMs: true, factor: true, maxMs: true }

/** The policy of one listener: what it was given, over the configuration, over what the driver's own older options say.
 *  Throws TypeError that names the field which cannot be used. */
export function resolveFailurePolicy(
  conf: MessagingConfig,
  given: FailurePolicy | FailureAction | undefined,
  driver: FailureDefaults = {},
): ResolvedFailurePolicy {
  const policy = typeof given === 'string' ? { then: given } : (given ?? {})
  checkOptions('onFailure', policy, POLICY)
  checkChoice('onFailure.then', policy.then, FAILURE_ACTIONS)
  checkFunction('onFailure.retryIf', policy.retryIf)
  const configured = configuredPolicy(conf, driver)
  const then = policy.then ?? configured.then
  const attempts = policy.attempts ?? configured.attempts
  if (!Number.isSafeInteger(attempts) || attempts < 1)
    throw new TypeError(`onFailure.attempts must be a whole number, 1 or more, not ${shown(attempts)}`)
  const pause = readPause('onFailure.pause', conf, policy.pause)
  return {
    attempts,
    backoff: policy.backoff === undefined ? configured.backoff : readBackoff(policy.backoff),
    retryIf: policy.retryIf ?? (() => true),
    then,
    pause: policy.pause !== undefined || then === 'pause' ? pause : null,
  }
}

/** Milliseconds before the attempt after `attempts` failed ones. */
export function waitAfter({ initialMs, factor, maxMs }: Required<FailureBackoff>, attempts: number): number {
  return Math.min(initialMs * factor ** (attempts - 1), maxMs)
}

function configuredPolicy(
  conf: MessagingConfig,
  driver: FailureDefaults,
): Pick<ResolvedFailurePolicy, 'attempts' | 'then' | 'backoff'> {
  const group = 'oslo_messaging_nodejs'
  const action = conf.get(group, 'notification_failure_action') as FailureAction
  const attempts = conf.get(group, 'notification_failure_attempts')
  const initialMs = conf.get(group, 'notification_failure_backoff') * 1000
  const maxMs = conf.get(group, 'notification_failure_backoff_max') * 1000
  return {
    then: action === 'default' ? (driver.then ?? action) : action,
    attempts: attempts ?? driver.attempts ?? 1,
    backoff:
      driver.backoffMs === undefined ? fill({ initialMs, maxMs }) : fill({ initialMs: driver.backoffMs, factor: 1 }),
  }
}

function readBackoff(backoff: number | FailureBackoff): Required<FailureBackoff> {
  const given = typeof backoff === 'number' ? { initialMs: backoff, factor: 1 } : backoff
  checkOptions('onFailure.backoff', given, BACKOFF)
  for (const name of ['initialMs', 'factor', 'maxMs'] as const) {
    const value: unknown = given[name]
    const least = name === 'factor' ? 1 : 0
    if (value === undefined && name !== 'initialMs') continue
    if (typeof value === 'number' && Number.isFinite(value) && value >= least) continue
    throw new TypeError(`onFailure.backoff.${name} must be a number, ${least} or more, not ${shown(value)}`)
  }
  return fill(given)
}

function fill({ initialMs, factor = 2, maxMs = 60_000 }: FailureBackoff): Required<FailureBackoff> {
  return { initialMs, factor, maxMs: Math.max(initialMs, maxMs) }
}
