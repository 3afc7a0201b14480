import { afterAll, describe, expect, it } from 'vitest'

import { vectors } from '../../packages/amqp/test/support/vectors.ts'
import { executeAmqp } from './amqp/execute.ts'
import type { Verdict } from './judge.ts'
import { summary, writePart } from './results.ts'

const verdicts: (Verdict & { readonly ms: number })[] = []

describe('AMQP 1.0 as Python speaks it, through the public API and a peer made of rhea', () => {
  // Two of them last as long as their heartbeats, three times over.
  const rows = vectors.map((vector) => [vector.id, vector] as const)
  it.concurrent.each(rows)('%s', { timeout: 60_000 }, async (_id, vector) => {
    const started = performance.now()
    const verdict = await executeAmqp(vector)
    verdicts.push({ ...verdict, ms: Math.round(performance.now() - started) })
    expect(verdict.details.join('\n')).toBe('')
  })

  afterAll(() => {
    if (verdicts.length === vectors.length) writePart('amqp', { versions: {}, verdicts })
    process.stdout.write(summary('amqp', verdicts))
  })
})
