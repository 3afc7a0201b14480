import type { MessagingConfig } from '../config/messaging-config.ts'
import { checkOptions, type OptionNames, shown } from '../util/check.ts'
import type { PauseSettings } from './pause-switch.ts'

const NAMES: OptionNames<PauseSettings> = { share: true, window: true, retryAfterMs: true }

/** Pause settings over those of `[oslo_messaging_nodejs]`. Throws TypeError that names the field which cannot be
 *  used. */
export function readPause(
  name: string,
  conf: MessagingConfig,
  given: PauseSettings | undefined,
): Required<PauseSettings> {
  checkOptions(name, given, NAMES)
  const group = 'oslo_messaging_nodejs'
  const {
    share = conf.get(group, 'pause_share'),
    window = conf.get(group, 'pause_window'),
    retryAfterMs = conf.get(group, 'pause_retry_interval') * 1000,
  } = given ?? {}
  if (!(typeof share === 'number' && share > 0 && share <= 1))
    throw new TypeError(`${name}.share must be a number above 0, 1 at most, not ${shown(share)}`)
  if (!Number.isSafeInteger(window) || window < 1)
    throw new TypeError(`${name}.window must be a whole number, 1 or more, not ${shown(window)}`)
  if (!(typeof retryAfterMs === 'number' && Number.isFinite(retryAfterMs) && retryAfterMs > 0))
    throw new TypeError(`${name}.retryAfterMs must be a number of milliseconds above 0, not ${shown(retryAfterMs)}`)
  return { share, window, retryAfterMs }
}
