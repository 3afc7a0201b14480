import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll } from 'vitest'
import type { Logger } from '../../src/diagnostics/logger.ts'
import { ConfigurationError } from '../../src/errors.ts'

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
