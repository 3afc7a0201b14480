import { expect, it } from 'vitest'
import { Supervisor } from '../../src/driver/supervisor.ts'
import { MessageDeliveryFailure, MessagingTimeout } from '../../src/errors.ts'
import { createBackoff } from '../../src/util/backoff.ts'
import { Deadline } from '../../src/util/deadline.ts'

const facts = { phase: 'connect', delivery: 'not-sent' } as const

/** A supervisor whose first `failures` attempts fail; it waits 1 ms between two. */
function createFailing(failures: number): { supervisor: Supervisor; attempts: () => number } {
  let attempts = 0
  const supervisor = new Supervisor({
    establish: async () => {
      attempts += 1
      if (attempts <= failures) throw new Error(`refused ${attempts}`)
    },
    classify: () => 'retry',
    backoff: createBackoff({ initialMs: 1, maxMs: 1, jitter: 'none' }),
    upState: 'connected',
  })
  return { supervisor, attempts: () => attempts }
}

it('ready - without retries, gives up after one failed attempt and says why', async () => {
  const { supervisor } = createFailing(Infinity)
  const ready = supervisor.ready(Deadline.after(5_000), facts, { retries: 0 })
  const error = await ready.catch((reason: unknown) => reason)
  expect(error).toBeInstanceOf(MessageDeliveryFailure)
  expect(error).toMatchObject({ attempts: 1, phase: 'connect', delivery: 'not-sent', retryable: true })
  expect(error).toMatchObject({ message: 'Gave up after 1 attempt: refused 1', cause: new Error('refused 1') })
  supervisor.close()
})

it('ready - waits through as many failed attempts as it was given', async () => {
  const { supervisor, attempts } = createFailing(2)
  await supervisor.ready(Deadline.after(5_000), facts, { retries: 2 })
  expect(attempts()).toBe(3)
  supervisor.close()
})

it('ready - one caller giving up leaves the others waiting', async () => {
  const { supervisor } = createFailing(3)
  const patient = supervisor.ready(Deadline.after(5_000), facts)
  await expect(supervisor.ready(Deadline.after(5_000), facts, { retries: 1 })).rejects.toMatchObject({ attempts: 2 })
  await patient
  supervisor.close()
})

it('ready - with no limit, ends at the deadline with the last failure as cause', async () => {
  const { supervisor } = createFailing(Infinity)
  const error = await supervisor.ready(Deadline.after(30), facts).catch((reason: unknown) => reason)
  expect(error).toBeInstanceOf(MessagingTimeout)
  expect((error as Error).cause).toMatchObject({ message: expect.stringMatching(/^refused \d+$/) })
  supervisor.close()
})
