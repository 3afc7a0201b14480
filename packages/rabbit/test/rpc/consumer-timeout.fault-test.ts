import { setTimeout as sleep } from 'node:timers/promises'
import { type IncomingRequest, Target } from '@oslo-messaging/core/driver'
import { afterAll, describe, expect, it } from 'vitest'
import { openReal, unique } from '../support/broker.ts'
import { callOptions, listenOptions } from '../support/open-driver.ts'
import { ownRabbit } from '../support/own-broker.ts'

const broker = await ownRabbit({ version: '4.3.6' })

describe.skipIf(broker === undefined)('a method that runs longer than the consumer_timeout of RabbitMQ 4.3', () => {
  if (broker === undefined) return
  afterAll(async () => await broker.close())

  it.each([
    {
      says: 'longestMethodMs is set: its request stays with it, is answered and never delivered again',
      longestMethodMs: 3000,
      times: 1,
    },
    { says: 'nobody has said how long methods run: the request is delivered again', longestMethodMs: null, times: 2 },
  ])('acknowledged after it - $says', async ({ longestMethodMs, times }) => {
    await broker.control.eval('application:set_env(rabbit,consumer_timeout,1000).')
    const settings = { ack: 'after', consumerTimeoutMs: 1000, longestMethodMs } as const
    const driver = openReal(broker.urlFor(), {
      options: { rabbit_quorum_queue: true, rabbit_transient_quorum_queue: true },
      settings,
    })
    const target = new Target({ topic: unique('slow') })
    const cancelled = new Set<boolean>()
    const isCancelled = (): boolean =>
      driver.health().components.some(({ kind, state }) => kind === 'listener' && state !== 'consuming')
    const watching = setInterval(() => cancelled.add(isCancelled()), 20)
    await driver.listen(
      target.with({ server: 'a' }),
      listenOptions<IncomingRequest>((request) => {
        const work = async (): Promise<void> => {
          request.acknowledge()
          await sleep(3000)
          await request.reply({ result: 'done', failure: null })
        }
        void work()
      }),
    )
    cancelled.clear()
    expect(
      await driver.send(
        target,
        { context: {}, message: { method: 'm', args: {} } },
        callOptions({ timeoutMs: 10_000 }),
      ),
    ).toMatchObject({ result: 'done' })
    clearInterval(watching)
    expect(cancelled.has(true)).toBe(times === 2)
    await driver.close()
  })
})
