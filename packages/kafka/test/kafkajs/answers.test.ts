import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Answers } from '../../src/kafkajs/answers.ts'

const FETCH = 1
const JOIN_GROUP = 11

function answer(bytes: number): Buffer {
  const data = Buffer.alloc(4 + bytes)
  data.writeInt32BE(bytes)
  return data
}

describe('answers of a connection', () => {
  it('however they are cut - each complete one answers the oldest question', () => {
    fc.assert(
      fc.property(
        fc.array(fc.nat(300), { minLength: 1, maxLength: 8 }),
        fc.array(fc.integer({ min: 1, max: 50 }), { minLength: 1 }),
        (sizes, cuts) => {
          const answers = new Answers()
          for (let at = 0; at <= sizes.length; at += 1) answers.asked(FETCH, at)
          const stream = Buffer.concat(sizes.map((size) => answer(size + 1)))
          for (let at = 0, turn = 0; at < stream.length; turn += 1) {
            const end = at + (cuts[turn % cuts.length] ?? 1)
            answers.received(stream.subarray(at, end))
            at = end
          }
          expect(answers.waitingSince).toBe(sizes.length)
        },
      ),
    )
  })

  it('a group may take its time', () => {
    const answers = new Answers()
    answers.asked(JOIN_GROUP, 1)
    expect(answers.waitingSince).toBeUndefined()
    answers.received(answer(10))
    answers.asked(FETCH, 2)
    expect(answers.waitingSince).toBe(2)
  })
})
