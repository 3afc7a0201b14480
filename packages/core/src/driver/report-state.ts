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
  let isInTrouble = false
  return (change) => {
    emitDiagnostic('oslo-messaging:state', () => ({ driver, kind, name, ...change }))
    const { state, previous, error } = change
    const why = error === undefined ? '' : `: ${errorText(error)}`
    if (state === 'failed' && previous !== 'failed') logger?.error(`${kind} ${name} failed${why}`, { error })
    else if ((state === 'recovering' || state === 'blocked') && previous !== state)
      logger?.warn(`${kind} ${name} is ${state}${why}`)
    else if (isInTrouble && (state === 'connected' || state === 'consuming'))
      logger?.info(`${kind} ${name} is ${state} again`)
    if (state === 'closed' || state === 'connected' || state === 'consuming') isInTrouble = false
    else if (state !== 'starting') isInTrouble = true
  }
}
