import {
  type Clock,
  type ComponentHealth,
  type Logger,
  reportState as report,
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

/** Tells the diagnostics channel of each change of state, and the log of trouble and of its end. */
export function reportState(
  { logger }: Pick<Runtime, 'logger'>,
  kind: ComponentHealth['kind'],
  name: string,
): (change: SupervisorChange) => void {
  return report({ driver: DRIVER, kind, name, logger })
}
