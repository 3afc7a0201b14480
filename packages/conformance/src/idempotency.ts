import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import type { IdempotencyStore } from '@oslo-messaging/core'

const LEASE = { leaseMs: 60_000 }
const KEEP = { keepMs: 60_000 }

/** A store under test. */
export interface StoreOfTest {
  readonly store: IdempotencyStore
  /** Another process's view of the same store; the same one where there are no two. */
  readonly other: IdempotencyStore
  /** Lets so much time pass, as far as the store knows. */
  readonly pass: (ms: number) => Promise<unknown> | void
}

/** One promise of an idempotency store and how it is checked. */
export interface IdempotencyStoreCase {
  readonly name: string
  /** Rejects when the store breaks the promise. */
  readonly run: (open: () => StoreOfTest | Promise<StoreOfTest>) => Promise<void>
}

/** What every idempotency store must do: `for (const { name, run } of idempotencyStoreCases) it(name, () =>
 *  run(open))`. Each case uses ids of its own, so that one store may serve all. */
export const idempotencyStoreCases: readonly IdempotencyStoreCase[] = [
  {
    name: 'one owner gets a message, others hear that it is held, and that it is done once it is',
    async run(open) {
      const { store, other } = await open()
      const id = randomUUID()
      assert.equal(await store.claim(id, { owner: 'a', ...LEASE }), 'claimed')
      assert.equal(await other.claim(id, { owner: 'b', ...LEASE }), 'held')
      await store.done(id, { owner: 'a', ...KEEP })
      assert.equal(await other.claim(id, { owner: 'b', ...LEASE }), 'done')
      assert.equal(await store.claim(id, { owner: 'a', ...LEASE }), 'done')
    },
  },

  {
    name: 'of fifty that ask at once one gets it',
    async run(open) {
      const { store, other } = await open()
      const id = randomUUID()
      const answers = await Promise.all(
        Array.from({ length: 50 }, (_, n) => (n % 2 === 0 ? store : other).claim(id, { owner: `o${n}`, ...LEASE })),
      )
      assert.deepEqual(answers.toSorted(), ['claimed', ...Array.from({ length: 49 }, () => 'held')])
    },
  },

  {
    name: 'what is released is free at once, but only its owner can release it',
    async run(open) {
      const { store, other } = await open()
      const id = randomUUID()
      await store.claim(id, { owner: 'a', ...LEASE })
      await other.release(id, { owner: 'b' })
      assert.equal(await other.claim(id, { owner: 'b', ...LEASE }), 'held')
      await store.release(id, { owner: 'a' })
      assert.equal(await other.claim(id, { owner: 'b', ...LEASE }), 'claimed')
    },
  },

  {
    name: 'what is done is not freed by a release',
    async run(open) {
      const { store, other } = await open()
      const id = randomUUID()
      await store.claim(id, { owner: 'a', ...LEASE })
      await store.done(id, { owner: 'a', ...KEEP })
      await store.release(id, { owner: 'a' })
      assert.equal(await other.claim(id, { owner: 'b', ...LEASE }), 'done')
    },
  },

  {
    name: 'a crashed owner loses its message when the lease is over, and what it says too late frees nothing',
    async run(open) {
      const { store, other, pass } = await open()
      const id = randomUUID()
      await store.claim(id, { owner: 'a', leaseMs: 200 })
      assert.equal(await other.claim(id, { owner: 'b', ...LEASE }), 'held')
      await pass(300)
      assert.equal(await other.claim(id, { owner: 'b', ...LEASE }), 'claimed')
      await store.release(id, { owner: 'a' })
      assert.equal(await store.claim(id, { owner: 'c', ...LEASE }), 'held')
    },
  },

  {
    name: 'an owner that asks again gets its lease anew',
    async run(open) {
      const { store, other, pass } = await open()
      const id = randomUUID()
      await store.claim(id, { owner: 'a', leaseMs: 300 })
      await pass(200)
      assert.equal(await store.claim(id, { owner: 'a', ...LEASE }), 'claimed')
      await pass(200)
      assert.equal(await other.claim(id, { owner: 'b', ...LEASE }), 'held')
    },
  },

  {
    name: 'done counts although somebody else has the claim by now',
    async run(open) {
      const { store, other, pass } = await open()
      const id = randomUUID()
      await store.claim(id, { owner: 'a', leaseMs: 100 })
      await pass(200)
      await other.claim(id, { owner: 'b', ...LEASE })
      await store.done(id, { owner: 'a', ...KEEP })
      assert.equal(await other.claim(id, { owner: 'c', ...LEASE }), 'done')
    },
  },

  {
    name: 'what was handled is forgotten in the end',
    async run(open) {
      const { store, other, pass } = await open()
      const id = randomUUID()
      await store.claim(id, { owner: 'a', ...LEASE })
      await store.done(id, { owner: 'a', keepMs: 200 })
      await pass(300)
      assert.equal(await other.claim(id, { owner: 'b', ...LEASE }), 'claimed')
    },
  },
]
