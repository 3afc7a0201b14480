import { describe, expect, it } from 'vitest'
import { Supervisor } from '../../src/driver/supervisor.ts'
import { createManualClock } from '../../src/testing/manual-clock.ts'
import { createBackoff } from '../../src/util/backoff.ts'
import { Deadline } from '../../src/util/deadline.ts'
import { createDeferred } from '../../src/util/deferred.ts'

const REFUSED = new Error('connect ECONNREFUSED 127.0.0.1:1')

function scene(establish: () => Promise<void>, heldUpBy?: () => unknown) {
  const clock = createManualClock()
  const supervisor = new Supervisor({
    establish,
    classify: () => 'retry',
    backoff: createBackoff({ initialMs: 100, maxMs: 100, jitter: 'none' }),
    upState: 'consuming',
    clock,
    ...(heldUpBy === undefined ? {} : { heldUpBy }),
  })
  const facts = { phase: 'connect', delivery: 'not-sent' } as const
  return { clock, supervisor, ready: () => supervisor.ready(Deadline.after(500, { clock }), facts) }
}

const EXPLAINED = {
  code: 'OSLO_MESSAGING_TIMEOUT',
  message: `No connection to the broker within 500 ms: ${REFUSED.message}`,
  cause: REFUSED,
  phase: 'connect',
  delivery: 'not-sent',
  timeoutMs: 500,
}

describe('why it is not up', () => {
  it('a timeout says what the last attempt failed with, in its message and as its cause', async () => {
    const { clock, supervisor, ready } = scene(() => Promise.reject(REFUSED))
    const outcome = expect(ready()).rejects.toMatchObject(EXPLAINED)
    await clock.advance(500)
    await outcome
    supervisor.close()
  })

  it('what it stands on is the reason while an attempt waits for it, and no longer', async () => {
    const attempt = createDeferred<void>()
    let below: unknown = REFUSED
    const { clock, supervisor, ready } = scene(
      () => attempt.promise,
      () => below,
    )
    const outcome = expect(ready()).rejects.toMatchObject(EXPLAINED)
    expect(supervisor.health('listener', 'l')).toMatchObject({ state: 'starting', reason: REFUSED.message })
    await clock.advance(500)
    await outcome
    below = undefined
    expect(supervisor.health('listener', 'l').reason).toBeUndefined()
    below = REFUSED
    attempt.resolve()
    await clock.advance(0)
    expect(supervisor.reason).toBeUndefined()
    supervisor.close()
    expect(supervisor.reason).toBeUndefined()
  })
})
