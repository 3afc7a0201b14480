import { randomUUID } from 'node:crypto'
import { Deadline, type Driver, type Listener, Target } from '@oslo-messaging/core/driver'
import { expect, it } from 'vitest'

export interface PoolPeer {
  readonly open: () => Promise<Driver>
  readonly restart: () => Promise<unknown>
}

/** What pools do beyond the conformance kit, on a broker that can have them. */
export function runPoolSuite({ open, restart }: PoolPeer): void {
  const topicOf = (): Target => new Target({ topic: `pool-${randomUUID().slice(0, 8)}` })
  const notify = (driver: Driver, { topic }: Target, payload: unknown): Promise<void> =>
    driver.sendNotification(
      new Target({ topic: `${topic}.info` }),
      {
        context: {},
        message: { message_id: 'm', publisher_id: 'p', event_type: 'e', priority: 'INFO', payload, timestamp: 't' },
      },
      { version: '2.0', deadline: Deadline.after(30_000), retries: null },
    )
  const listen = (driver: Driver, target: Target, pool: string | null, got: unknown[]): Promise<Listener> =>
    driver.listenForNotifications([{ target, priority: 'info' }], {
      deadline: Deadline.after(20_000),
      prefetch: 10,
      pool,
      allowRequeue: true,
      onMessage(incoming) {
        got.push(incoming.message['payload'])
        incoming.acknowledge()
      },
    })
  const within = { timeout: 20_000 }

  it('pool - a notifier that was there first sends to it as well, and the others lose nothing', async () => {
    const target = topicOf()
    const [notifier, listener] = [await open(), await open()]
    await notify(notifier, target, 'before')
    const [pooled, unpooled]: [unknown[], unknown[]] = [[], []]
    await listen(listener, target, 'late', pooled)
    await notify(notifier, target, 'after')
    await expect.poll(() => pooled, within).toEqual(['after'])
    await listen(listener, target, null, unpooled)
    await expect.poll(() => unpooled, within).toEqual(['before', 'after'])
    await Promise.all([notifier.close(), listener.close()])
  })

  it('pool - keeps its copy while none of its listeners is there, through a restart of the broker', async () => {
    const target = topicOf()
    const [notifier, first] = [await open(), await open()]
    const got: unknown[] = []
    await listen(first, target, 'durable', got)
    await notify(notifier, target, 1)
    await expect.poll(() => got, within).toEqual([1])
    await first.close()
    await notify(notifier, target, 2)
    await restart()
    await notify(notifier, target, 3)
    const second = await open()
    await listen(second, target, 'durable', got)
    await expect.poll(() => got, within).toEqual([1, 2, 3])
    await Promise.all([notifier.close(), second.close()])
  })

  it('pool - what a listener hands back goes to its own pool again', async () => {
    const target = topicOf()
    const driver = await open()
    const other: unknown[] = []
    await listen(driver, target, 'other', other)
    let times = 0
    await driver.listenForNotifications([{ target, priority: 'info' }], {
      deadline: Deadline.after(20_000),
      prefetch: 10,
      pool: 'again',
      allowRequeue: true,
      onMessage(incoming) {
        times += 1
        if (times === 1) incoming.requeue()
        else incoming.acknowledge()
      },
    })
    await notify(driver, target, 1)
    await expect.poll(() => times, within).toBe(2)
    expect(other).toEqual([1])
    await driver.close()
  })
}
