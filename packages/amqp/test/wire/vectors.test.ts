import { afterAll, describe, expect, it } from 'vitest'
import { accept } from '../support/accept.ts'
import { compareFacts } from '../support/compare-facts.ts'
import { replay } from '../support/replay.ts'
import { sentBy, vectors } from '../support/vectors.ts'
import { factsOf } from '../support/wire-facts.ts'

const executed = new Set<string>()
const both = ['client', 'server'] as const

describe.each(vectors.map((vector) => [vector.id, vector] as const))('%s', (id, vector) => {
  it('we send what Python sent', async () => {
    const replayed = await replay(vector)
    for (const side of both) {
      const { comparisons } = compareFacts(vector, side, replayed[side], factsOf(sentBy(vector, side)))
      for (const { what, ours, python } of comparisons) expect(ours, what).toEqual(python)
    }
    executed.add(id)
  })

  it('what Python sent is accepted and understood', async () => {
    const { sent, accepted, understood } = await accept(vector)
    expect(accepted).toBe(sent)
    expect(understood).toBe(sent)
  })
})

afterAll(() => {
  process.stdout.write(`${executed.size} of ${vectors.length} amqp vectors executed, none skipped\n`)
  expect(executed.size).toBe(73)
})
