import { PerformanceObserver } from 'node:perf_hooks'
import { getHeapSpaceStatistics } from 'node:v8'
import { scenarios } from './scenarios.ts'

/** Run as `node --expose-gc --no-opt --min-semi-space-size=... measure.js`: prints bytes allocated by one operation of
 *  each scenario, as JSON. In a young generation that is larger than what is allocated meanwhile nothing is collected,
 *  so that what it has grown by is what was allocated, to the byte; without the optimizing compiler it is what
 *  the code asks for, whenever that compiler would have come to it. */

const WARM_UP = 300
const OPERATIONS = 400

const collect = globalThis.gc
if (collect === undefined) throw new Error('node --expose-gc is needed')

let collections = 0
new PerformanceObserver((list) => (collections += list.getEntries().length)).observe({ entryTypes: ['gc'] })

async function bytesOf(operation: () => unknown): Promise<number> {
  for (let index = 0; index < WARM_UP; index += 1) await operation()
  collect?.()
  // Entries of the collection that was just asked for come in a later turn.
  await new Promise((resolve) => setTimeout(resolve, 5))
  collections = 0
  const before = held()
  for (let index = 0; index < OPERATIONS; index += 1) await operation()
  const grown = held() - before
  await new Promise((resolve) => setTimeout(resolve, 5))
  if (collections > 0) throw new Error('Something was collected meanwhile: the young generation is too small')
  return Math.round(grown / OPERATIONS)
}

/** What a message allocates is young. The old generation grows by what V8 makes for itself, code and what it learns of
 *  it: 200 KB at once, at a moment that depends on what else the machine does. */
const YOUNG = new Set(['new_space', 'new_large_object_space'])

function held(): number {
  const young = getHeapSpaceStatistics().filter(({ space_name: name }) => YOUNG.has(name))
  return young.reduce((sum, { space_used_size: bytes }) => sum + bytes, process.memoryUsage().external)
}

const results: Record<string, number> = {}
for await (const { name, operation } of scenarios()) results[name] = await bytesOf(operation)
process.stdout.write(`${JSON.stringify(results)}\n`)
