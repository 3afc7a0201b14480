import type { MessagingConfig } from '@oslo-messaging/core'
import { readConfiguration } from '../broker/connect.ts'
import type { BrokerOptions } from '../broker/options.ts'
import type { Io } from '../io.ts'
import { errorText } from '../text/error-text.ts'
import { readEffective } from './effective.ts'
import { findGroups } from './groups.ts'

/** What is wrong with a configuration; an error may have several lines. */
export interface CheckedConfiguration {
  /** undefined: it cannot be read at all. */
  readonly conf: MessagingConfig | undefined
  readonly errors: readonly string[]
  readonly warnings: readonly string[]
}

/** Reads a configuration with every option of every group; what is wrong is gathered rather than thrown. */
export async function checkConfiguration(
  { configFile, configDir }: Pick<BrokerOptions, 'configFile' | 'configDir'>,
  io: Io,
): Promise<CheckedConfiguration> {
  const warnings: string[] = []
  // What the library would log as advice is what is wanted here.
  const listening: Io = {
    ...io,
    err: (text) => warnings.push(text.replace(/^oslo-msg: warning: /, '').trimEnd()),
  }
  try {
    const conf = await readConfiguration({ configFile, configDir }, listening)
    const { groups, problems } = await findGroups(conf, io)
    const errors = [...problems, ...readEffective(conf, groups).problems].map(({ text }) => text)
    return { conf, errors, warnings }
  } catch (error) {
    return { conf: undefined, errors: [errorText(error)], warnings }
  }
}
