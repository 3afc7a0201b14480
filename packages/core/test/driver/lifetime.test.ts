import { describe, expect, it } from 'vitest'
import { Lifetime } from '../../src/driver/lifetime.ts'
import { createDeferred } from '../../src/util/deferred.ts'

describe('Lifetime', () => {
  it('what waits when it ends, and what comes later, rejects with the first reason', async () => {
    const lifetime = new Lifetime()
    const waiting = lifetime.race(new Promise(() => {}))
    lifetime.end('lost')
    lifetime.end('closed')
    await expect(waiting).rejects.toBe('lost')
    await expect(lifetime.race(Promise.resolve('late'))).rejects.toBe('lost')
  })

  it("an answer that fails after the end is nobody else's failure", async () => {
    const lifetime = new Lifetime()
    const answer = createDeferred<void>()
    const asked = lifetime.race(answer.promise)
    lifetime.end('lost')
    answer.reject(new Error('too late'))
    await expect(asked).rejects.toBe('lost')
    // An unhandled rejection would fail the run by now.
    await new Promise((resolve) => setImmediate(resolve))
  })

  it('before the end it changes nothing', async () => {
    const lifetime = new Lifetime()
    await expect(lifetime.race(Promise.resolve('answer'))).resolves.toBe('answer')
    await expect(lifetime.race(Promise.reject('refused'))).rejects.toBe('refused')
  })
})
