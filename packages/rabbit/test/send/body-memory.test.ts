import { describe, expect, it } from 'vitest'
import { BodyMemory } from '../../src/send/body-memory.ts'

const LARGE = 70_000

describe('BodyMemory', () => {
  it('gives the memory of a released body to the next of about that size', () => {
    const memory = new BodyMemory()
    const first = memory.allocate(LARGE)
    memory.release(first)
    const second = memory.allocate(LARGE + 100)
    expect(second.buffer).toBe(first.buffer)
    expect(second.length).toBe(LARGE + 100)
  })

  it('never gives memory to two bodies, however often one is released', () => {
    const memory = new BodyMemory()
    const first = memory.allocate(LARGE)
    memory.release(first)
    memory.release(first)
    expect(memory.allocate(LARGE).buffer).not.toBe(memory.allocate(LARGE).buffer)
  })

  it('never gives memory of a forgotten body again, also when a later attempt is confirmed', () => {
    const memory = new BodyMemory()
    const first = memory.allocate(LARGE)
    memory.forget(first)
    memory.release(first)
    expect(memory.allocate(LARGE).buffer).not.toBe(first.buffer)
  })

  it('takes no memory from elsewhere, and keeps no more than 8 MiB', () => {
    const memory = new BodyMemory()
    const foreign = Buffer.alloc(LARGE)
    memory.release(foreign)
    expect(memory.allocate(LARGE).buffer).not.toBe(foreign.buffer)
    const bodies = Array.from({ length: 12 }, () => memory.allocate(1024 * 1024))
    const released = new Set(bodies.map(({ buffer }) => buffer))
    for (const body of bodies) memory.release(body)
    const again = Array.from({ length: 12 }, () => memory.allocate(1024 * 1024))
    expect(again.filter(({ buffer }) => released.has(buffer))).toHaveLength(8)
  })
})
