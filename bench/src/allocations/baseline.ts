import { execFile } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

/** Bytes of one operation by the name of its scenario. */
export type Allocations = Readonly<Record<string, number>>

interface Recorded {
  /** How far a figure may be above what is on record. */
  readonly marginPercent: number
  /** By the line of Node: each has its own objects. */
  readonly node: Readonly<Record<string, Allocations>>
}

const FILE = fileURLToPath(new URL('../../allocations.json', import.meta.url))
const MEASURE = fileURLToPath(new URL('../../dist/allocations/measure.js', import.meta.url))
const FLAGS = ['--expose-gc', '--no-opt', '--single-threaded', '--min-semi-space-size=128', '--max-semi-space-size=256']

/** Measures in a process of its own, some seconds. */
export async function measureAllocations(): Promise<Allocations> {
  const { stdout } = await promisify(execFile)(process.execPath, [...FLAGS, MEASURE])
  return JSON.parse(stdout) as Allocations
}

export function recordedAllocations(): Recorded {
  return JSON.parse(readFileSync(FILE, 'utf8')) as Recorded
}

/** The line of this Node, such as `20`. */
export const LINE: string = process.versions.node.split('.', 1)[0] ?? ''

/** Puts what was measured on record. */
export function record(measured: Allocations): void {
  const { marginPercent, node } = recordedAllocations()
  writeFileSync(FILE, `${JSON.stringify({ marginPercent, node: { ...node, [LINE]: measured } }, null, 2)}\n`)
}

/** What is wrong with what was measured: one line each. */
export function excesses(measured: Allocations, recorded: Allocations, marginPercent: number): readonly string[] {
  return Object.entries(measured).flatMap(([name, bytes]) => {
    const before = recorded[name]
    if (before === undefined) return [`${name}: ${bytes} bytes, and nothing on record`]
    const share = (bytes / before - 1) * 100
    if (share > marginPercent) return [`${name}: ${bytes} bytes, ${share.toFixed(1)} % above ${before}`]
    return share < -marginPercent
      ? [`${name}: ${bytes} bytes, ${(-share).toFixed(1)} % below ${before}: put it on record`]
      : []
  })
}
