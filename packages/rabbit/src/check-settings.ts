import { checkChoice, checkCount, checkFunction, checkOptions, type OptionNames } from '@oslo-messaging/core/driver'
import { DEFAULT_SETTINGS, type FailurePolicy, type RabbitSettings } from './settings.ts'

type Check = (name: string, value: unknown) => void

const from =
  (least: number): Check =>
  (name, value) =>
    checkCount(name, value, least)
const orNull =
  (check: Check): Check =>
  (name, value) => {
    if (value !== null) check(name, value)
  }
const oneOf =
  (...choices: readonly string[]): Check =>
  (name, value) =>
    checkChoice(name, value, choices)

const CHECKS: Readonly<Record<keyof RabbitSettings, Check>> = {
  duplicateCacheSize: from(0),
  duplicateStore: orNull(checkFunction),
  maxOutstandingMessages: from(1),
  maxOutstandingBytes: from(1),
  maxWaitingMessages: from(1),
  maxWaitingBytes: from(1),
  maxPendingCalls: from(1),
  watchdogIntervalMs: from(0),
  ack: oneOf('before', 'after'),
  longestMethodMs: orNull(from(0)),
  consumerTimeoutMs: orNull(from(1)),
  sharedExchanges: oneOf('declare', 'passive', 'none'),
  sharedQueues: oneOf('declare', 'passive', 'none'),
  onNotificationFailure: checkPolicy,
  connectTimeoutMs: from(1),
}

const NAMES = Object.fromEntries(Object.keys(CHECKS).map((name) => [name, true])) as OptionNames<RabbitSettings>
const POLICY = { action: true, retries: true, delayMs: true } as const

/** The settings with the defaults of those that are not given. Throws TypeError that names the one that cannot be used. */
export function completeSettings(settings: Partial<RabbitSettings>): RabbitSettings {
  checkOptions('createRabbitDriver', settings, NAMES)
  const given = Object.entries(settings).filter(([, value]) => value !== undefined)
  for (const [name, value] of given) CHECKS[name as keyof RabbitSettings](name, value)
  return { ...DEFAULT_SETTINGS, ...Object.fromEntries(given) }
}

function checkPolicy(name: string, policy: unknown): void {
  checkOptions(name, policy, POLICY)
  const { action, retries, delayMs } = policy as Partial<FailurePolicy & { retries: unknown; delayMs: unknown }>
  checkChoice(`${name}.action`, action ?? null, ['default', 'requeue', 'discard', 'stop', 'dead-letter'])
  if (action !== 'dead-letter') return
  checkCount(`${name}.retries`, retries ?? null)
  checkCount(`${name}.delayMs`, delayMs ?? null)
}
