import { checkChoice, checkCount, checkOptions } from '@oslo-messaging/core/driver'

/** What to do with a notification whose endpoint throws.
 *  `default`: as oslo, accepted, or released when the listener allows it.
 *  `dead-letter`: handled again by the same listener up to `retries` times, each time after `delayMs`, and then kept under the topic `<topic>.<priority>.dead`, with the address it failed at and
 *  the reason in message annotations. It stays unsettled until the peer has the copy, so that a service that dies in between loses nothing; attempts are counted from the start then. */
export type FailurePolicy =
  | { readonly action: 'default' }
  | { readonly action: 'dead-letter'; readonly retries: number; readonly delayMs: number }

/** What can be chosen in code, beyond the options of oslo. */
export interface AmqpSettings {
  /** What becomes of a notification whose endpoint throws. Default: what oslo does. */
  readonly onNotificationFailure: FailurePolicy
}

const POLICY = { action: true, retries: true, delayMs: true } as const

/** The policy of the settings. Throws TypeError that names what cannot be used. */
export function policyOf(settings: Partial<AmqpSettings>): FailurePolicy {
  checkOptions('createAmqpDriver', settings, { onNotificationFailure: true })
  const { onNotificationFailure: policy = { action: 'default' } } = settings
  checkOptions('onNotificationFailure', policy, POLICY)
  checkChoice('onNotificationFailure.action', policy.action ?? null, ['default', 'dead-letter'])
  if (policy.action === 'dead-letter') {
    checkCount('onNotificationFailure.retries', policy.retries ?? null)
    checkCount('onNotificationFailure.delayMs', policy.delayMs ?? null)
  }
  return policy
}
