import {
  type Clock,
  emitDiagnostic,
  type ComponentHealth,
  type Logger,
  type Supervisor,
  type SupervisorChange,
} from '@oslo-messaging/core/driver'
import type { RabbitClient } from '../client/client.ts'
import type { RabbitOptions } from '../config.ts'
import type { RabbitSettings } from '../settings.ts'

/** What every part of one driver shares. */
export interface Runtime {
  readonly client: RabbitClient
  readonly options: RabbitOptions
  readonly settings: RabbitSettings
  readonly program: string
  readonly logger: Logger
  readonly clock: Clock
  readonly random: () => number
}

export const DRIVER = 'rabbit'

/** Reports each change of state to the diagnostics channel and, when it matters to an operator, to the log. */
export function reportState(
  { logger }: Pick<Runtime, 'logger'>,
  kind: ComponentHealth['kind'],
  name: string,
): (change: SupervisorChange) => void {
  return (change) => {
    emitDiagnostic('oslo-messaging:state', () => ({ driver: DRIVER, kind, name, ...change }))
    const { state, previous, error, retryInMs } = change
    const reason = error instanceof Error ? `: ${error.message}` : ''
    if (state === 'failed') {
      // It is tried again and again, and said once.
      if (previous === 'failed') return
      const outlook =
        retryInMs === undefined ? '' : `; tried every ${Math.round(retryInMs / 1000)} s, until it is mended`
      logger.error(`${kind} ${name} failed${reason}${outlook}`, { error })
    } else if (state === 'recovering' || state === 'blocked')
      logger.warn(
        `${kind} ${name} is ${state}${reason}`,
        retryInMs === undefined ? {} : { retryInMs: Math.round(retryInMs) },
      )
    else if (previous === 'recovering' || previous === 'blocked' || previous === 'failed')
      logger.info(`${kind} ${name} is ${state} again`)
  }
}

/** What a supervised part says of itself. */
export function componentHealth(
  supervisor: Supervisor,
  kind: ComponentHealth['kind'],
  name: string,
  host?: string,
): ComponentHealth {
  const { state, sinceMs, reason } = supervisor
  return {
    kind,
    name,
    state,
    sinceMs,
    ...(reason === undefined ? {} : { reason }),
    ...(host === undefined ? {} : { host }),
  }
}
