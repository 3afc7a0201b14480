import { describe, expect, it } from 'vitest'
import { assignRange, assignRoundRobin } from '../../src/port/group-assignment.ts'

const partitions = new Map([
  ['a', [0, 1, 2]],
  ['b', [0, 1]],
])
const member = (id: string, ...topics: string[]) => ({ id, topics })

describe('group assignment', () => {
  it.each([
    { rule: assignRoundRobin, name: 'roundrobin', first: { a: [0, 2], b: [1] }, second: { a: [1], b: [0] } },
    { rule: assignRange, name: 'range', first: { a: [0, 1], b: [0] }, second: { a: [2], b: [1] } },
  ])('$name - deals the partitions of equal members out evenly', ({ rule, first, second }) => {
    const hands = rule([member('m2', 'a', 'b'), member('m1', 'a', 'b')], partitions)
    expect(hands.get('m1')).toEqual(first)
    expect(hands.get('m2')).toEqual(second)
  })

  it.each([
    { rule: assignRoundRobin, name: 'roundrobin' },
    { rule: assignRange, name: 'range' },
  ])('$name - services that share a group and read different topics get their own', ({ rule }) => {
    const hands = rule([member('m1', 'a'), member('m2', 'b'), member('m3', 'c')], partitions)
    expect(hands.get('m1')).toEqual({ a: [0, 1, 2] })
    expect(hands.get('m2')).toEqual({ b: [0, 1] })
    expect(hands.get('m3')).toEqual({})
  })

  it('a member too many gets nothing, and every member is in the answer', () => {
    const hands = assignRange([member('m1', 'b'), member('m2', 'b'), member('m3', 'b')], partitions)
    expect([...hands]).toEqual([
      ['m1', { b: [0] }],
      ['m2', { b: [1] }],
      ['m3', {}],
    ])
  })
})
