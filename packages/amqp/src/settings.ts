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
