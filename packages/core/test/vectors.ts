import { readFileSync } from 'node:fs'

/** A captured message or value table of `interop/vectors`, by its file name without `.json`. */
export function loadVector(name: string): unknown {
  return JSON.parse(readFileSync(new URL(`../../../interop/vectors/${name}.json`, import.meta.url), 'utf8')) as unknown
}
