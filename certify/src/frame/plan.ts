import type { Random } from '@oslo-messaging/conformance/faults'

/** Nemeses that strike together, and for how long. */
export interface Phase {
  /** Counts from 1. */
  readonly number: number
  readonly nemeses: readonly string[]
  readonly forMs: number
}

export interface PlanOptions {
  readonly random: Random
  readonly nemeses: readonly { readonly name: string; readonly disturbs: readonly string[] }[]
  readonly forMs: number
  /** Most that strike together. */
  readonly together: number
}

/** Every nemesis alone, in an order that the seed decides, and then mixtures without end. The same seed gives the same
 *  plan. */
export function* plan({ random, nemeses, forMs, together }: PlanOptions): Generator<Phase, never> {
  let number = 0
  for (const { name } of random.fork('alone').shuffle(nemeses)) {
    number += 1
    yield { number, nemeses: [name], forMs }
  }
  const mixing = random.fork('mixed')
  for (;;) {
    number += 1
    const wanted = mixing.between(2, Math.max(2, together))
    const taken = new Set<string>()
    const names: string[] = []
    for (const { name, disturbs } of mixing.shuffle(nemeses)) {
      if (names.length === wanted) break
      if (disturbs.some((thing) => taken.has(thing))) continue
      names.push(name)
      for (const thing of disturbs) taken.add(thing)
    }
    yield { number, nemeses: names, forMs }
  }
}
