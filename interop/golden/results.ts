import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

import type { Verdict } from './judge.ts'

/** Where runs leave what they found; git does not see it. */
export const RESULTS: string = join(import.meta.dirname, '../results')

/** Where the vectors come from. */
export const CAPTURES = 'oslo.messaging 14.0.3, and its development head at 8ea2d5b4'

/** What one file of golden tests found. `report.mjs` puts the parts together. */
export interface GoldenPart {
  readonly generatedAt: string
  readonly versions: Readonly<Record<string, string>>
  readonly verdicts: readonly (Verdict & { readonly ms: number })[]
}

/** Writes the part of one family over what an earlier run left. */
export function writePart(family: string, part: Omit<GoldenPart, 'generatedAt'>): void {
  const folder = join(RESULTS, 'golden')
  mkdirSync(folder, { recursive: true })
  const verdicts = part.verdicts.toSorted((one, other) => (one.vector < other.vector ? -1 : 1))
  const text = JSON.stringify({ generatedAt: new Date().toISOString(), ...part, verdicts }, null, 2)
  writeFileSync(join(folder, `${family}.json`), `${text}\n`)
}

/** `rabbit: 171 vectors: 160 equal, 11 equal but for a documented difference, 0 differ`. */
export function summary(family: string, verdicts: readonly Verdict[]): string {
  const count = (outcome: Verdict['outcome']): number => verdicts.filter((each) => each.outcome === outcome).length
  const [equal, excused, differs] = [count('equal'), count('equal but for'), count('differs')]
  return `${family}: ${verdicts.length} vectors executed: ${equal} equal, ${excused} equal but for a documented difference, ${differs} differ\n`
}
