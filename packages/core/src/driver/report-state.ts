import { emitDiagnostic } from '../diagnostics/channels.ts'
import type { Logger } from '../diagnostics/logger.ts'
import { errorText } from '../util/text.ts'
import type { ComponentHealth } from './health.ts'
import type { SupervisorChange } from './supervisor.ts'

/** Of what the states are told. */
export interface StateReport {
  /** Name of the driver. */
  readonly driver: string
  readonly kind: ComponentHealth['kind']
  /** As health has it. */
  readonly name: string
  /** Told of trouble and of its end; absent: only the diagnostics channel is. */
  readonly logger?: Logger
}

/** An `onChange` for a Supervisor: every change of state reaches `oslo-messaging:state`, trouble is logged once, and so
 *  is its end. */
export function reportState({ driver, kind, name, logger }: StateReport): (change: SupervisorChange) => void {
  return (change) => {
    emitDiagnostic('oslo-messaging:state', () => ({ driver, kind, name, ...change }))
    const { state, previous, error, retryInMs } = change
    const why = error === undefined ? '' : `: ${errorText(error)}`
    // It is tried again and again, and said once.
    const outlook = retryInMs === undefined ? '' : `; tried every ${Math.round(retryInMs / 1000)} s, until it is mended`
    if (state === 'failed' && previous !== 'failed') logger?.error(`${kind} ${name} failed${why}${outlook}`, { error })
    else if ((state === 'recovering' || state === 'blocked') && previous !== state)
      logger?.warn(`${kind} ${name} is ${state}${why}`)
    else if (TROUBLE.has(previous) && (state === 'connected' || state === 'consuming'))
      logger?.info(`${kind} ${name} is ${state} again`)
  }
}

const TROUBLE: ReadonlySet<ComponentHealth['state']> = new Set(['recovering', 'blocked', 'failed'])
