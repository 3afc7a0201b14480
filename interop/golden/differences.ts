import { readFileSync } from 'node:fs'

/** Something on the wire, or in what an application sees, that is not as Python has it, and why. */
export interface Difference {
  readonly id: string
  /** Where it shows: a family of vectors, `json`, or `live`. */
  readonly scope: 'rabbit' | 'amqp' | 'kafka' | 'unit' | 'json' | 'live'
  readonly what: string
  readonly reason: string
  /** A decision record (`ADR 0010`) or a row of interop/vectors/WIRE.md (`WIRE 10.4`). */
  readonly reference: string
}

/** Every known difference, in the order of the page. */
export const differences: readonly Difference[] = (
  JSON.parse(readFileSync(new URL('differences.json', import.meta.url), 'utf8')) as {
    readonly differences: readonly Difference[]
  }
).differences

/** The row of the table. Throws for an id that is not in it: nothing is excused without a reason. */
export function difference(id: string): Difference {
  const found = differences.find((each) => each.id === id)
  if (found === undefined) throw new Error(`differences.json has no row ${id}`)
  return found
}
