import { describe, expect, it } from 'vitest'
import type { IdempotencyStore } from '../../src/idempotency/idempotency-store.ts'

const LEASE = { leaseMs: 60_000 }
const KEEP = { keepMs: 60_000 }

export interface StoreOfTest {
  /** Another process's view of the same store. */
  readonly other: IdempotencyStore
  readonly store: IdempotencyStore
  /** Lets so much time pass, as far as the store knows. */
  readonly pass: (ms: number) => Promise<void> | void
}

let count = 0
const newId = (): string => `message-${process.pid}-${Date.now()}-${(count += 1)}`

/** What every idempotency store must do; `open` is called once for each test. */
export function describeIdempotencyStore(name: string, open: () => StoreOfTest | Promise<StoreOfTest>): void {
  describe(`idempotency store - ${name}`, () => {
    it('one owner gets a message, others hear that it is held, and that it is done once it is', async () => {
      const { store, other } = await open()
      const id = newId()
      expect(await store.claim(id, { owner: 'a', ...LEASE })).toBe('claimed')
      expect(await other.claim(id, { owner: 'b', ...LEASE })).toBe('held')
      await store.done(id, { owner: 'a', ...KEEP })
      expect(await other.claim(id, { owner: 'b', ...LEASE })).toBe('done')
      expect(await store.claim(id, { owner: 'a', ...LEASE })).toBe('done')
    })

    it('of fifty that ask at once one gets it', async () => {
      const { store, other } = await open()
      const id = newId()
      const answers = await Promise.all(
        Array.from({ length: 50 }, (_, n) => (n % 2 === 0 ? store : other).claim(id, { owner: `o${n}`, ...LEASE })),
      )
      expect(answers.toSorted()).toEqual(['claimed', ...Array.from({ length: 49 }, () => 'held')])
    })

    it('what is released is free at once, but only its owner can release it', async () => {
      const { store, other } = await open()
      const id = newId()
      await store.claim(id, { owner: 'a', ...LEASE })
      await other.release(id, { owner: 'b' })
      expect(await other.claim(id, { owner: 'b', ...LEASE })).toBe('held')
      await store.release(id, { owner: 'a' })
      expect(await other.claim(id, { owner: 'b', ...LEASE })).toBe('claimed')
    })

    it('what is done is not freed by a release', async () => {
      const { store, other } = await open()
      const id = newId()
      await store.claim(id, { owner: 'a', ...LEASE })
      await store.done(id, { owner: 'a', ...KEEP })
      await store.release(id, { owner: 'a' })
      expect(await other.claim(id, { owner: 'b', ...LEASE })).toBe('done')
    })

    it('a crashed owner loses its message when the lease is over, and what it says too late frees nothing', async () => {
      const { store, other, pass } = await open()
      const id = newId()
      await store.claim(id, { owner: 'a', leaseMs: 200 })
      expect(await other.claim(id, { owner: 'b', ...LEASE })).toBe('held')
      await pass(300)
      expect(await other.claim(id, { owner: 'b', ...LEASE })).toBe('claimed')
      await store.release(id, { owner: 'a' })
      expect(await store.claim(id, { owner: 'c', ...LEASE })).toBe('held')
    })

    it('an owner that asks again gets its lease anew', async () => {
      const { store, other, pass } = await open()
      const id = newId()
      await store.claim(id, { owner: 'a', leaseMs: 300 })
      await pass(200)
      expect(await store.claim(id, { owner: 'a', ...LEASE })).toBe('claimed')
      await pass(200)
      expect(await other.claim(id, { owner: 'b', ...LEASE })).toBe('held')
    })

    it('done counts although somebody else has the claim by now', async () => {
      const { store, other, pass } = await open()
      const id = newId()
      await store.claim(id, { owner: 'a', leaseMs: 100 })
      await pass(200)
      await other.claim(id, { owner: 'b', ...LEASE })
      await store.done(id, { owner: 'a', ...KEEP })
      expect(await other.claim(id, { owner: 'c', ...LEASE })).toBe('done')
    })

    it('what was handled is forgotten in the end', async () => {
      const { store, other, pass } = await open()
      const id = newId()
      await store.claim(id, { owner: 'a', ...LEASE })
      await store.done(id, { owner: 'a', keepMs: 200 })
      await pass(300)
      expect(await other.claim(id, { owner: 'b', ...LEASE })).toBe('claimed')
    })
  })
}
