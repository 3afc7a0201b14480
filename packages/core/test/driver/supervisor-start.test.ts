import { describe, expect, it } from 'vitest'
import { Supervisor } from '../../src/driver/supervisor.ts'
import { createBackoff } from '../../src/util/backoff.ts'
import { Deadline } from '../../src/util/deadline.ts'

describe('Supervisor.start', () => {
  it('does nothing while it is up: a driver that starts before each send does not connect over a live connection', async () => {
    let established = 0
    const supervisor = new Supervisor({
      establish: async () => {
        established += 1
      },
      classify: () => 'retry',
      backoff: createBackoff({ initialMs: 1, maxMs: 1 }),
      upState: 'connected',
    })
    const facts = { phase: 'connect', delivery: 'not-sent' } as const
    await supervisor.ready(Deadline.after(1000), facts)
    supervisor.start()
    supervisor.start()
    await supervisor.ready(Deadline.after(1000), facts)
    await new Promise((resolve) => setImmediate(resolve))
    expect(established).toBe(1)
    supervisor.close()
  })
})
