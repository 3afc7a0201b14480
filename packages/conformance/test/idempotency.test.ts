import { type IdempotencyStore, MemoryIdempotencyStore } from '@oslo-messaging/core'
import { createManualClock } from '@oslo-messaging/core/testing'
import { describe, expect, it } from 'vitest'
import { idempotencyStoreCases, type StoreOfTest } from '../src/idempotency.ts'

function open(broken: Partial<IdempotencyStore> = {}): StoreOfTest {
  const clock = createManualClock()
  const memory = new MemoryIdempotencyStore({ clock })
  const store: IdempotencyStore = {
    claim: (...all) => memory.claim(...all),
    done: (...all) => memory.done(...all),
    release: (...all) => memory.release(...all),
    ...broken,
  }
  return { store, other: store, pass: (ms) => clock.advance(ms) }
}

describe('idempotency store in memory', () => {
  for (const { name, run } of idempotencyStoreCases) it(name, async () => await run(open))
})

it.each<[string, Partial<IdempotencyStore>]>([
  ['everybody gets the message', { claim: async () => 'claimed' }],
  ['nobody gets it', { claim: async () => 'held' }],
  ['what is done is forgotten', { done: async () => {} }],
  ['what is released stays held', { release: async () => {} }],
])('a store is found out: %s', async (_what, broken) => {
  const ends = await Promise.allSettled(idempotencyStoreCases.map(({ run }) => run(() => open(broken))))
  expect(ends.some(({ status }) => status === 'rejected')).toBe(true)
})
