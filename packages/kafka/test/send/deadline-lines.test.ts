import { describe, expect, it } from 'vitest'
import { Deadline } from '@oslo-messaging/core/driver'
import { createManualClock, type ManualClock } from '@oslo-messaging/core/testing'
import { DeadlineLines, type Expiring } from '../../src/send/deadline-lines.ts'

function item(clock: ManualClock, timeoutMs: number | null, ended: string[], name: string): Expiring {
  return {
    deadline: Deadline.after(timeoutMs, { clock }),
    earlier: undefined,
    later: undefined,
    expire: () => void ended.push(`${name} at ${clock.now()}`),
  }
}

describe('deadline lines', () => {
  it('end each at its own deadline, whatever times they were given', async () => {
    const clock = createManualClock()
    const start = clock.now()
    const lines = new DeadlineLines(clock)
    const ended: string[] = []
    for (const [name, timeoutMs] of [
      ['a', 300],
      ['b', 100],
      ['c', 300],
    ] as const)
      lines.add(item(clock, timeoutMs, ended, name))
    await clock.advance(50)
    lines.add(item(clock, 300, ended, 'd'))
    await clock.advance(1000)
    expect(ended).toEqual([`b at ${start + 100}`, `a at ${start + 300}`, `c at ${start + 300}`, `d at ${start + 350}`])
    expect(clock.pending).toBe(0)
  })

  it('what has left does not end, and leaves no timer', async () => {
    const clock = createManualClock()
    const lines = new DeadlineLines(clock)
    const ended: string[] = []
    const [first, middle, last] = ['first', 'middle', 'last'].map((name) => item(clock, 100, ended, name))
    if (first === undefined || middle === undefined || last === undefined) throw new Error('three are needed')
    for (const each of [first, middle, last]) lines.add(each)
    lines.remove(middle)
    lines.remove(first)
    lines.remove(first)
    await clock.advance(100)
    expect(ended).toHaveLength(1)
    expect(clock.pending).toBe(0)
    const again = item(clock, 100, ended, 'again')
    lines.add(again)
    lines.remove(again)
    expect(clock.pending).toBe(0)
  })

  it('one that waited elsewhere and comes late ends before those made since', async () => {
    const clock = createManualClock()
    const lines = new DeadlineLines(clock)
    const ended: string[] = []
    const late = item(clock, 100, ended, 'late')
    await clock.advance(40)
    lines.add(item(clock, 100, ended, 'young'))
    lines.add(late)
    await clock.advance(60)
    expect(ended.map((text) => text.split(' ')[0])).toEqual(['late'])
    await clock.advance(40)
    expect(ended.map((text) => text.split(' ')[0])).toEqual(['late', 'young'])
  })

  it('one without a limit sets no timer', () => {
    const clock = createManualClock()
    const lines = new DeadlineLines(clock)
    const endless = item(clock, null, [], 'endless')
    lines.add(endless)
    expect(clock.pending).toBe(0)
    lines.remove(endless)
  })

  it('a thousand of the same time need one timer', () => {
    const clock = createManualClock()
    const lines = new DeadlineLines(clock)
    for (let n = 0; n < 1000; n += 1) lines.add(item(clock, 100, [], String(n)))
    expect(clock.pending).toBe(1)
  })

  it('one that ends may add the next', async () => {
    const clock = createManualClock()
    const lines = new DeadlineLines(clock)
    const ended: string[] = []
    const next = (): Expiring => ({
      ...item(clock, 100, ended, 'again'),
      expire: () => {
        ended.push('ended')
        if (ended.length < 3) lines.add(next())
      },
    })
    lines.add(next())
    await clock.advance(350)
    expect(ended).toHaveLength(3)
    expect(clock.pending).toBe(0)
  })
})
