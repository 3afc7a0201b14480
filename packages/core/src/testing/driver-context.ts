import type { OptionValue, ResolvedOptions } from '../config/option.ts'
import { silentLogger } from '../diagnostics/logger.ts'
import type { DriverContext, DriverDefinition } from '../driver/driver.ts'
import { systemClock } from '../util/clock.ts'

/** What `definition.open` is given besides the URL, for tests of a driver without a transport: the options' defaults,
 *  changed by `options`, the system's clock, no log, exchange `openstack`. */
export function createDriverContext<Options extends ResolvedOptions>(
  definition: DriverDefinition<Options>,
  changes: Partial<Omit<DriverContext, 'options'>> & { readonly options?: ResolvedOptions } = {},
): DriverContext<Options> {
  const defaults: Record<string, OptionValue> = {}
  for (const [name, option] of Object.entries(definition.config?.options ?? {})) defaults[name] = option.default
  return {
    defaultExchange: 'openstack',
    program: 'test',
    logger: silentLogger,
    clock: systemClock,
    random: Math.random,
    ...changes,
    // The definition's own defaults, so they have the types its options have.
    options: { ...defaults, ...changes.options } as ResolvedOptions as Options,
  }
}
