import { createHook } from 'node:async_hooks'
import { describe, expect, it } from 'vitest'
import type { Serializer } from '../../src/index.ts'
import { createScene } from './scene.ts'

/** Changes nothing, but is not known for it. */
const plain: Serializer = {
  serializeEntity: (_context, entity) => entity,
  deserializeEntity: (_context, entity) => entity,
  serializeContext: (context) => ({ ...context }),
  deserializeContext: (context) => context,
}

/** The same, each value a turn later. */
const slow: Serializer = {
  serializeEntity: async (_context, entity) => entity,
  deserializeEntity: async (_context, entity) => entity,
  serializeContext: async (context) => ({ ...context }),
  deserializeContext: async (context) => context,
}

describe('RPC with a serializer', () => {
  it('keeps the order of casts, however many arguments each has', async () => {
    await using scene = await createScene()
    const got: string[] = []
    await scene.serve(
      { first: () => void got.push('first'), second: () => void got.push('second') },
      { serializer: plain, workers: 1 },
    )
    const client = scene.client({ serializer: plain })
    await Promise.all([client.cast({}, 'first', { a: 1, b: 2, c: 3 }), client.cast({}, 'second')])
    await client.call({}, 'second')
    expect(got).toEqual(['first', 'second', 'second'])
  })

  it('runs requests in the order in which they came, however many arguments each has', async () => {
    await using scene = await createScene()
    const got: string[] = []
    await scene.serve(
      { first: () => void got.push('first'), second: () => void got.push('second') },
      { serializer: plain },
    )
    const client = scene.client()
    await Promise.all([client.cast({}, 'first', { a: 1, b: 2, c: 3 }), client.cast({}, 'second')])
    await client.call({}, 'second')
    expect(got).toEqual(['first', 'second', 'second'])
  })

  it('waits for serializers that take their time', async () => {
    await using scene = await createScene()
    await scene.serve({ add: (_context: object, { a, b }: { a: number; b: number }) => a + b }, { serializer: slow })
    expect(await scene.client({ serializer: slow }).call({}, 'add', { a: 1, b: 2 })).toBe(3)
  })

  it('costs no promise when nothing has to be waited for', async () => {
    await using scene = await createScene()
    await scene.serve({ add: (_context: object, { a, b }: { a: number; b: number }) => a + b })
    await scene.serve(
      { add: (_context: object, { a, b }: { a: number; b: number }) => a + b },
      { serializer: plain },
      { topic: `${scene.topic}-plain` },
    )
    const without = scene.client()
    const withOne = scene.client({ serializer: plain }, { topic: `${scene.topic}-plain` })
    const promisesOf = async (client: typeof without): Promise<number> => {
      let count = 0
      const hook = createHook({ init: (_id, type) => void (type === 'PROMISE' && (count += 1)) })
      await client.call({}, 'add', { a: 1, b: 2 })
      hook.enable()
      await client.call({}, 'add', { a: 1, b: 2 })
      hook.disable()
      return count
    }
    expect(await promisesOf(withOne)).toBe(await promisesOf(without))
  })
})
