import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { setTimeout as sleep } from 'node:timers/promises'
import { type IncomingRequest, Target } from '@oslo-messaging/core/driver'
import { afterAll, describe, expect, it } from 'vitest'
import { openReal, unique } from '../support/broker.ts'
import { callOptions, listenOptions } from '../support/open-driver.ts'
import { waitFor } from '../support/load.ts'
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
    const topic = unique('slow')
    const target = new Target({ topic })
    // Health says it for some milliseconds only.
    let cancellations = 0
    const onState = (message: unknown): void => {
      const { kind, name, state } = message as { kind: string; name: string; state: string }
      if (kind === 'listener' && name.includes(topic) && state === 'recovering') cancellations += 1
    }
    subscribe('oslo-messaging:state', onState)
    await driver.listen(
      target.with({ server: 'a' }),
      listenOptions<IncomingRequest>((request) => {
        const work = async (): Promise<void> => {
          request.acknowledge()
          // A busy broker looks at its consumers late.
          if (times === 2) await waitFor('the end of the consumer', () => cancellations > 0, 15_000)
          else await sleep(3000)
          await request.reply({ result: 'done', failure: null })
        }
        void work()
      }),
    )
    expect(
      await driver.send(
        target,
        { context: {}, message: { method: 'm', args: {} } },
        callOptions({ timeoutMs: 20_000 }),
      ),
    ).toMatchObject({ result: 'done' })
    unsubscribe('oslo-messaging:state', onState)
    expect(cancellations > 0).toBe(times === 2)
    await driver.close()
  })
})
