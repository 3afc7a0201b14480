import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll } from 'vitest'
import type { ConfigFragment } from '../../src/config/option.ts'
import type { Logger } from '../../src/diagnostics/logger.ts'
import { ConfigurationError } from '../../src/errors.ts'

/** One option of each type, as a driver might have them. */
export const widgetConfig = {
  group: 'oslo_messaging_widget',
  options: {
    text: { type: 'string', default: 'x', doc: 'A text.' },
    mode: { type: 'string', default: 'slow', choices: ['slow', 'fast'], doc: 'A choice.' },
    count: { type: 'integer', default: 1, min: 0, max: 10, doc: 'A number.' },
    ratio: { type: 'float', default: 0.5, min: 0, doc: 'A ratio.' },
    flag: {
      type: 'boolean',
      default: false,
      doc: 'A flag.',
      deprecatedNames: [{ name: 'old_flag' }, { group: 'DEFAULT', name: 'widget_flag' }],
    },
    names: { type: 'list', default: ['a'], doc: 'A list.' },
    several: { type: 'multi', default: [], doc: 'Repeated.' },
    pairs: { type: 'dict', default: null, doc: 'Pairs.' },
    limit: { type: 'integer', default: null, doc: 'A number or nothing.' },
    password: { type: 'string', default: null, secret: true, doc: 'A secret.' },
    rusty: { type: 'boolean', default: false, deprecated: 'use flag', doc: 'On its way out.' },
  },
  removed: { ancient_count: 'count it yourself' },
} as const satisfies ConfigFragment

const folders: string[] = []
afterAll(async () => {
  await Promise.all(folders.map((folder) => rm(folder, { recursive: true })))
})

/** Writes files into a new folder and returns their paths. */
export async function write(...files: readonly (readonly [name: string, text: string])[]): Promise<string[]> {
  const folder = await mkdtemp(join(tmpdir(), 'messaging-config-'))
  folders.push(folder)
  return Promise.all(
    files.map(async ([name, text]) => {
      await writeFile(join(folder, name), text)
      return join(folder, name)
    }),
  )
}

/** A logger that keeps its warnings. */
export function recordWarnings(): { logger: Logger; warnings: string[] } {
  const warnings: string[] = []
  const ignore = () => {}
  return { logger: { debug: ignore, info: ignore, error: ignore, warn: (text) => void warnings.push(text) }, warnings }
}

/** The ConfigurationError that the action ends with. */
export async function configurationError(action: () => unknown): Promise<ConfigurationError> {
  try {
    await action()
  } catch (error) {
    if (error instanceof ConfigurationError) return error
    throw error
  }
  throw new Error('it was accepted')
}
