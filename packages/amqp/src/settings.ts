import { checkCount, checkOptions } from '@oslo-messaging/core/driver'

/** What can be chosen in code, beyond the options of oslo. */
export interface AmqpSettings {
  /** Most bytes of a message that comes in, as it is announced to the peer; a larger one is rejected, reported, and the
   *  next one is handled. Default 64 MiB. */
  readonly maxMessageBytes: number
}

export const DEFAULT_SETTINGS: AmqpSettings = {
  maxMessageBytes: 64 * 1024 * 1024,
}

/** The settings with what was left out. Throws TypeError that names what cannot be used. */
export function settingsOf(given: Partial<AmqpSettings>): AmqpSettings {
  checkOptions('createAmqpDriver', given, { maxMessageBytes: true })
  const settings = { ...DEFAULT_SETTINGS, ...given }
  checkCount('maxMessageBytes', settings.maxMessageBytes)
  return settings
}
