import { expect, it } from 'vitest'
import { ReplyWaiters } from '../../src/driver/reply-waiters.ts'
import { Deadline } from '../../src/util/deadline.ts'

it('wait - when time runs out before the confirm, the error says so', async () => {
  const waiters = new ReplyWaiters()
  const options = { deadline: Deadline.after(20), callMonitorTimeoutMs: null }
  const progress = () => ({ phase: 'confirm', delivery: 'unknown' }) as const
  await expect(waiters.wait('a', { ...options, progress })).rejects.toMatchObject({
    phase: 'confirm',
    delivery: 'unknown',
    message: 'No confirmation by the broker within 20 ms',
  })
  await expect(waiters.wait('b', options)).rejects.toMatchObject({ phase: 'reply', delivery: 'confirmed' })
  expect(waiters.size).toBe(0)
})

it('failAll - ends every call with an error of its own', async () => {
  const waiters = new ReplyWaiters()
  const options = { deadline: Deadline.after(5_000), callMonitorTimeoutMs: null }
  const calls = ['a', 'b', 'c'].map((id) => waiters.wait(id, options))
  const settled = Promise.allSettled(calls)
  waiters.failAll((id) => new Error(id))
  expect((await settled).map((each) => each.status === 'rejected' && (each.reason as Error).message)).toEqual(['a', 'b', 'c'])
  expect(waiters.size).toBe(0)
})
