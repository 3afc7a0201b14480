import { constants } from 'node:os'
import { checkFunction, checkOptions, checkTimeout, type OptionNames } from '../util/check.ts'
import { errorText } from '../util/text.ts'
import type { DrainReport } from './drain.ts'
import type { Messaging } from './messaging.ts'

/** What signals do; everything may be left out. */
export interface SignalOptions {
  /** Patience of the drain, milliseconds; null: as long as it takes. Stay below the supervisor's own, such as
   *  `terminationGracePeriodSeconds`. Default 25 000. */
  readonly timeoutMs?: number | null | undefined
  /** What drains. Default SIGTERM and SIGINT. */
  readonly signals?: readonly NodeJS.Signals[] | undefined
  /** What reloads; null: nothing. Default SIGHUP. */
  readonly reload?: NodeJS.Signals | null | undefined
  /** Runs after the drain and before the process ends, for what else the service has open. What it throws makes the
   *  exit code 1. */
  readonly then?: ((report: DrainReport) => void | Promise<void>) | undefined
}

const OPTIONS: OptionNames<SignalOptions> = { timeoutMs: true, signals: true, reload: true, then: true }
const DEFAULT_TIMEOUT_MS = 25_000

/** See `Messaging.handleSignals`. */
export function handleSignals(messaging: Messaging, options: SignalOptions): () => void {
  checkOptions('handleSignals', options, OPTIONS)
  const { timeoutMs = DEFAULT_TIMEOUT_MS, signals = ['SIGTERM', 'SIGINT'], reload = 'SIGHUP', then } = options
  checkTimeout('timeoutMs', timeoutMs)
  checkFunction('then', then)
  const { logger } = messaging
  let hasBegun = false

  const end = async (signal: NodeJS.Signals): Promise<void> => {
    logger.info(`${signal}: draining`, { timeoutMs })
    let code = 0
    try {
      const report = await messaging.drain({ timeoutMs })
      code = report.abandoned + report.unsent > 0 ? 1 : 0
      await then?.(report)
    } catch (error) {
      logger.error(`The drain failed: ${errorText(error)}`, { error })
      code = 1
    }
    process.exit(code)
  }
  const onEnd = (signal: NodeJS.Signals): void => {
    if (hasBegun) process.exit(128 + constants.signals[signal])
    hasBegun = true
    void end(signal)
  }
  const onReload = (): void => {
    messaging.reload().then(
      (report) => logger.info('Reloaded', { ...report }),
      (error: unknown) => logger.error(`The reload failed, nothing has changed: ${errorText(error)}`, { error }),
    )
  }

  for (const signal of signals) process.on(signal, onEnd)
  if (reload !== null) process.on(reload, onReload)
  return () => {
    for (const signal of signals) process.off(signal, onEnd)
    if (reload !== null) process.off(reload, onReload)
  }
}
