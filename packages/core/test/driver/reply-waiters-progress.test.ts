import { describe, expect, it } from 'vitest'
import { ReplyWaiters } from '../../src/driver/reply-waiters.ts'
import { Deadline } from '../../src/util/deadline.ts'
import { createDeferred } from '../../src/util/deferred.ts'

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
  expect((await settled).map((each) => each.status === 'rejected' && (each.reason as Error).message)).toEqual([
    'a',
    'b',
    'c',
  ])
  expect(waiters.size).toBe(0)
})

describe('call', () => {
  const options = () => ({ deadline: Deadline.after(30), callMonitorTimeoutMs: null })

  it('a failed send ends the call with its error', async () => {
    const waiters = new ReplyWaiters()
    const call = waiters.call('a', options(), () => Promise.reject(new Error('refused')))
    await expect(call).rejects.toThrow('refused')
    expect(waiters.size).toBe(0)
  })

  it('the time of the reply counts once the request is sent', async () => {
    const call = new ReplyWaiters().call('a', options(), () => Promise.resolve())
    await expect(call).rejects.toMatchObject({ phase: 'reply', delivery: 'confirmed' })
  })

  it('a reply that overtakes the confirm settles the call, and a send that fails later changes nothing', async () => {
    const waiters = new ReplyWaiters()
    const sent = createDeferred<void>()
    const call = waiters.call('a', options(), () => sent.promise)
    expect(waiters.settle('a', { result: 1, failure: null })).toBe(true)
    sent.reject(new Error('lost'))
    expect(await call).toEqual({ result: 1, failure: null })
    expect(waiters.size).toBe(0)
  })
})
