import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'

export interface Flags {
  readonly configFile: string
  readonly json: boolean
}

/** The command line; says what it takes, and ends, when it is something else. */
export function readFlags(): Flags {
  try {
    const { values } = parseArgs({
      options: {
        'config-file': { type: 'string', default: fileURLToPath(new URL('../service.conf', import.meta.url)) },
        json: { type: 'boolean', default: false },
      },
    })
    return { configFile: values['config-file'], json: values.json }
  } catch (error) {
    console.error(error instanceof Error ? error.message : error)
    console.error('Usage: npm start -- [--brokers] [--json] [--config-file FILE]')
    return process.exit(2)
  }
}
