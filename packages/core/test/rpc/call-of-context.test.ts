import { expect, it } from 'vitest'
import { remainingOf } from '../../src/rpc/call-of-context.ts'
import { createScene } from './scene.ts'

it('a context stands for its call while that is under way, and keeps nothing of it afterwards', async () => {
  await using scene = await createScene()
  const kept: object[] = []
  const seen: (number | undefined)[] = []
  await scene.serve({
    go: async (context: object) => {
      kept.push(context)
      await Promise.resolve()
      seen.push(remainingOf(context))
    },
  })
  await scene.client().call({}, 'go', {}, { timeoutMs: 30_000 })
  expect(seen[0]).toBeGreaterThan(0)
  expect(kept.map(remainingOf)).toEqual([undefined])
})
