import { mkdir, rename, writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'

import type { Role } from './cell.ts'

/** One line of results/live.json. */
export interface LiveResult {
  /** What our library was; `none` in Python to Python, `both` in ours to ours, `mixed` where both libraries had every
   *  part. */
  readonly ours: Role | 'mixed'
  /** Release of the library on the other side; `none` in ours to ours. */
  readonly python: string
  readonly transport: string
  readonly feature: string
  /** `not run` when the machine could not have the broker or the Python. */
  readonly outcome: 'pass' | 'fail' | 'not applicable' | 'not run'
  readonly ms: number
  /** Reason of anything but a pass. */
  readonly note?: string
}

const cells: LiveResult[] = []
const versions = new Map<string, string>()

export function record(result: LiveResult): void {
  cells.push(result)
}

/** Notes what ran: `noteVersion('rabbit', 'RabbitMQ 3.10.8')`. */
export function noteVersion(what: string, version: string): void {
  versions.set(what, version)
}

/** Writes everything recorded in this process to `results/<name>.json`. */
export async function writeResults(name: string): Promise<void> {
  const folder = new URL('../../results/', import.meta.url)
  await mkdir(folder, { recursive: true })
  const path = fileURLToPath(new URL(`${name}.json`, folder))
  const document = {
    generatedAt: new Date().toISOString(),
    versions: Object.fromEntries([...versions].toSorted(([a], [b]) => a.localeCompare(b))),
    cells,
  }
  await writeFile(`${path}.new`, `${JSON.stringify(document, undefined, 1)}\n`)
  await rename(`${path}.new`, path)
}

/** How everything recorded in this process went, for people. */
export function tally(): string {
  const count = (outcome: LiveResult['outcome']): number => cells.filter((cell) => cell.outcome === outcome).length
  return `${count('pass')} cells passed, ${count('fail')} failed, ${count('not applicable')} not applicable, ${count('not run')} not run`
}
