import { AsyncLocalStorage } from 'node:async_hooks'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { describe, expect, it } from 'vitest'
import { WorkerPool } from '../../src/server/worker-pool.ts'
import { createDeferred } from '../../src/util/deferred.ts'

/** Tasks that end when told, and the order they began in. */
function scene(size: number) {
  const pool = new WorkerPool(size)
  const began: string[] = []
  const ends = new Map<string, () => void>()
  const add = (name: string, key?: string, handBack?: () => void): void =>
    pool.run(
      () => {
        began.push(name)
        const done = createDeferred<void>()
        ends.set(name, () => done.resolve())
        return done.promise
      },
      key,
      handBack,
    )
  const end = async (name: string): Promise<void> => {
    ends.get(name)?.()
    await new Promise<void>((resolve) => setImmediate(resolve))
  }
  return { pool, began, add, end }
}

describe('WorkerPool', () => {
  it('S9 workers - runs no more than its size at a time, first come first served', async () => {
    const { pool, began, add, end } = scene(2)
    for (const name of ['a', 'b', 'c', 'd']) add(name)
    expect(began).toEqual(['a', 'b'])
    expect([pool.running, pool.waiting]).toEqual([2, 2])
    await end('b')
    expect(began).toEqual(['a', 'b', 'c'])
    await end('a')
    expect(began).toEqual(['a', 'b', 'c', 'd'])
  })

  it('run - tasks of one ordering key follow each other and hold one worker', async () => {
    const { pool, began, add, end } = scene(3)
    add('a1', 'a')
    add('a2', 'a')
    add('a3', 'a')
    add('b1', 'b')
    add('free')
    expect(began).toEqual(['a1', 'b1', 'free'])
    await end('a1')
    expect(began.at(-1)).toBe('a2')
    await end('a2')
    await end('a3')
    await end('b1')
    expect(pool.running).toBe(1)
    add('a4', 'a')
    expect(began.at(-1)).toBe('a4')
  })

  it('run - a long queue of tasks that end at once does not nest', async () => {
    const pool = new WorkerPool(1)
    let ran = 0
    const first = createDeferred<void>()
    pool.run(() => first.promise)
    for (let index = 0; index < 50_000; index += 1)
      pool.run(() => {
        ran += 1
      })
    first.resolve()
    await pool.idle()
    expect(ran).toBe(50_000)
  })

  it('run - a task that fails gives its worker back and is reported', async () => {
    const reported: unknown[] = []
    const onError = (event: unknown): void => void reported.push(event)
    subscribe('oslo-messaging:background-error', onError)
    try {
      const pool = new WorkerPool(1)
      pool.run(() => Promise.reject(new Error('late')))
      pool.run(() => {
        throw new Error('at once')
      }, 'key')
      await pool.idle()
      expect(reported).toMatchObject([{ error: { message: 'late' } }, { error: { message: 'at once' } }])
      expect(pool.running).toBe(0)
    } finally {
      unsubscribe('oslo-messaging:background-error', onError)
    }
  })

  it.each([undefined, 'key'])(
    'run - a task that waited runs in the asynchronous context it was given in (key: %s)',
    async (key) => {
      const storage = new AsyncLocalStorage<string>()
      const pool = new WorkerPool(1)
      const seen: (string | undefined)[] = []
      for (const name of ['first', 'second', 'third'])
        storage.run(name, () =>
          pool.run(async () => {
            await Promise.resolve()
            seen.push(storage.getStore())
          }, key),
        )
      await pool.idle()
      expect(seen).toEqual(['first', 'second', 'third'])
    },
  )

  it('idle - resolves when the last task is done, at once when there is none', async () => {
    const { pool, add, end } = scene(1)
    await pool.idle()
    add('a')
    add('b', 'k')
    let idle = false
    const waiting = pool.idle().then(() => (idle = true))
    await end('a')
    expect(idle).toBe(false)
    await end('b')
    await waiting
    expect(idle).toBe(true)
  })

  it('handBackWaiting - gives up what waits and can be given up, keeps the rest', async () => {
    const { pool, began, add, end } = scene(1)
    const returned: string[] = []
    add('running')
    for (const name of ['x', 'y']) add(name, undefined, () => void returned.push(name))
    add('kept')
    add('k1', 'k', () => void returned.push('k1'))
    add('k2', 'k')
    add('k3', 'k', () => void returned.push('k3'))
    expect(pool.handBackWaiting()).toBe(4)
    expect(returned.sort()).toEqual(['k1', 'k3', 'x', 'y'])
    for (const name of ['running', 'kept', 'k2']) await end(name)
    await pool.idle()
    expect(began).toEqual(['running', 'kept', 'k2'])
  })

  it.each([0, -1, 1.5, Number.NaN])('constructor - refuses %s workers', (size) => {
    expect(() => new WorkerPool(size)).toThrow(TypeError)
  })
})
