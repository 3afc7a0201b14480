import { expect, it } from 'vitest'
import { MemoryIdempotencyStore } from '../../src/idempotency/memory-idempotency-store.ts'
import { createManualClock } from '../../src/testing/manual-clock.ts'

it('what is over leaves the memory', async () => {
  const clock = createManualClock()
  const store = new MemoryIdempotencyStore({ clock })
  for (let n = 0; n < 1000; n += 1) {
    await store.claim(`m${n}`, { owner: 'a', leaseMs: 1000 })
    await store.done(`m${n}`, { owner: 'a', keepMs: 50 })
    await clock.advance(1)
  }
  expect(store.size).toBeLessThanOrEqual(51)
})
