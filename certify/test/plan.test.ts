import { describe, expect, it } from 'vitest'
import { type Phase, plan } from '../src/frame/plan.ts'
import { Random } from '@oslo-messaging/conformance/faults'

const nemeses = [
  { name: 'kill', disturbs: ['nodes'] },
  { name: 'freeze', disturbs: ['nodes'] },
  { name: 'reset', disturbs: ['network'] },
  { name: 'stall', disturbs: ['network'] },
  { name: 'churn', disturbs: ['members'] },
]

function phases(seed: string, count: number): readonly Phase[] {
  const all: Phase[] = []
  for (const phase of plan({ random: new Random(seed), nemeses, forMs: 1000, together: 3 })) {
    all.push(phase)
    if (all.length === count) break
  }
  return all
}

describe('plan', () => {
  it('the same seed gives the same plan, another seed another', () => {
    expect(phases('7', 40)).toEqual(phases('7', 40))
    expect(phases('7', 40)).not.toEqual(phases('8', 40))
  })

  it('every nemesis strikes alone once before any are mixed', () => {
    const alone = phases('7', nemeses.length)
    expect(alone.map(({ nemeses: names }) => names.length)).toEqual([1, 1, 1, 1, 1])
    expect(alone.flatMap((phase) => phase.nemeses).toSorted()).toEqual(nemeses.map(({ name }) => name).toSorted())
  })

  it('those that disturb the same thing are never mixed', () => {
    const things = new Map(nemeses.map(({ name, disturbs }) => [name, disturbs[0]]))
    for (const { nemeses: names } of phases('7', 200).slice(nemeses.length)) {
      const disturbed = names.map((name) => things.get(name))
      expect(names.length).toBeGreaterThanOrEqual(2)
      expect(new Set(disturbed).size).toBe(names.length)
    }
  })

  it('forks draw numbers of their own, however much the others draw', () => {
    const one = new Random('s')
    const other = new Random('s')
    one.fork('a').next()
    one.next()
    expect(one.fork('b').next()).toBe(other.fork('b').next())
    const drawn = Array.from({ length: 1000 }, () => one.between(3, 5))
    expect(new Set(drawn)).toEqual(new Set([3, 4, 5]))
    expect(() => one.pick([])).toThrow(RangeError)
  })
})
