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
  /** Most bytes of a message that comes in, as it is announced to the peer; a larger one is rejected, reported, and the next one is handled. Default 64 MiB. */
  readonly maxMessageBytes: number
}

export const DEFAULT_SETTINGS: AmqpSettings = {
  onNotificationFailure: { action: 'default' },
  maxMessageBytes: 64 * 1024 * 1024,
}

const POLICY = { action: true, retries: true, delayMs: true } as const

/** The settings with what was left out. Throws TypeError that names what cannot be used. */
export function settingsOf(given: Partial<AmqpSettings>): AmqpSettings {
  checkOptions('createAmqpDriver', given, { onNotificationFailure: true, maxMessageBytes: true })
  const settings = { ...DEFAULT_SETTINGS, ...given }
  checkCount('maxMessageBytes', settings.maxMessageBytes)
  const { onNotificationFailure: policy } = settings
  checkOptions('onNotificationFailure', policy, POLICY)
  checkChoice('onNotificationFailure.action', policy.action ?? null, ['default', 'dead-letter'])
  if (policy.action === 'dead-letter') {
    checkCount('onNotificationFailure.retries', policy.retries ?? null)
    checkCount('onNotificationFailure.delayMs', policy.delayMs ?? null)
  }
  return settings
}
