import { Target } from '@oslo-messaging/core/driver'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openReal, unique } from '../support/broker.ts'
import { notificationOf } from '../support/notification.ts'
import { rejection } from '../support/load.ts'
import { castOptions, listenOptions } from '../support/open-driver.ts'
import { ownRabbit } from '../support/own-broker.ts'

const broker = await ownRabbit({ config: { max_message_size: String(1024 * 1024) } })

const request = (payload: unknown) => ({ context: {}, message: { method: 'm', args: { payload } } })
const large = 'x'.repeat(1_200_000)

/** A broker that takes messages of at most 1 MiB, and a user who may not write to everything. */
describe.skipIf(broker === undefined)('messages that the broker refuses for good', () => {
  if (broker === undefined) return
  const vhost = unique('refused')
  const user = unique('user')
  beforeAll(async () => {
    await broker.control.vhost(vhost)
    await broker.control.addUser(user, 'secret', { vhost, write: '^(?!openstack$).*' })
  })
  afterAll(async () => await broker.close())

  const notify = (timeoutMs: number | null) => ({
    version: '2.0' as const,
    deadline: castOptions({ timeoutMs: timeoutMs ?? 60_000 }).deadline,
    retries: null,
  })

  it('a notification that is too large is rejected at once, with what the broker says of it', async () => {
    const driver = openReal(broker.urlFor({ vhost }))
    const target = new Target({ topic: unique('t') })
    const startedAt = performance.now()
    const error = await rejection(driver.sendNotification(target, notificationOf(large), notify(20_000)))
    expect(error).toMatchObject({ delivery: 'not-sent', retryable: false, brokerCode: 406 })
    expect(error.message).toMatch(/message size \d+ .*larger/)
    expect(performance.now() - startedAt).toBeLessThan(5000)
    await driver.close()
  })

  it('a cast that is too large costs those that were sent after it nothing, and nobody gets its reason', async () => {
    const driver = openReal(broker.urlFor({ vhost }))
    const target = new Target({ topic: unique('t') })
    await driver.send(target, request('first'), castOptions())
    const payloads = ['before', 'before', large, 'after', 'after', 'after', 'after']
    const ends = await Promise.allSettled(
      payloads.map((payload) => driver.send(target, request(payload), castOptions())),
    )
    const [beforeA, beforeB, refused, ...after] = ends
    expect(refused).toMatchObject({ reason: { delivery: 'not-sent', brokerCode: 406 } })
    expect(after.map(({ status }) => status)).toEqual(Array(4).fill('fulfilled'))
    for (const end of [beforeA, beforeB])
      if (end?.status === 'rejected') {
        expect(end.reason).toMatchObject({ delivery: 'unknown' })
        expect(String(end.reason)).not.toMatch(/size/)
      }
    // From now on it is known what is too large: nobody else is concerned.
    const again = await Promise.allSettled(
      payloads.map((payload) => driver.send(target, request(payload), castOptions())),
    )
    expect(again.map(({ status }) => status)).toEqual(
      payloads.map((payload) => (payload === large ? 'rejected' : 'fulfilled')),
    )
    expect(again[2]).toMatchObject({ reason: { delivery: 'not-sent', brokerCode: 406 } })
    await driver.close()
  })

  it('notifications beside one that is too large all arrive, once', async () => {
    const driver = openReal(broker.urlFor({ vhost }))
    const topic = unique('t')
    const seen: unknown[] = []
    const listener = await driver.listenForNotifications(
      [{ target: new Target({ topic }), priority: 'info' }],
      listenOptions((notification) => {
        notification.acknowledge()
        seen.push(notification.message['payload'])
      }),
    )
    const target = new Target({ topic: `${topic}.info` })
    await driver.sendNotification(target, notificationOf('warm'), notify(5000))
    const payloads = [1, 2, large, 3, 4, 5]
    const ends = await Promise.allSettled(
      payloads.map((payload) => driver.sendNotification(target, notificationOf(payload), notify(20_000))),
    )
    expect(ends.map(({ status }) => status)).toEqual(
      payloads.map((payload) => (payload === large ? 'rejected' : 'fulfilled')),
    )
    await expect.poll(() => seen.length).toBe(6)
    expect(new Set(seen)).toEqual(new Set(['warm', 1, 2, 3, 4, 5]))
    await listener.close()
    await driver.close()
  })

  it('what may not be written to is told to each at once, however many were sent', async () => {
    const driver = openReal(broker.urlFor({ vhost, user, password: 'secret' }))
    const target = new Target({ topic: unique('t') })
    const startedAt = performance.now()
    const ends = await Promise.allSettled([
      ...Array.from({ length: 5 }, (_, n) => driver.send(target, request(n), castOptions({ timeoutMs: 20_000 }))),
      ...Array.from({ length: 5 }, (_, n) => driver.sendNotification(target, notificationOf(n), notify(20_000))),
    ])
    for (const end of ends)
      expect(end).toMatchObject({ reason: { code: 'OSLO_MESSAGING_AUTHENTICATION', delivery: 'not-sent' } })
    expect(performance.now() - startedAt).toBeLessThan(5000)
    await driver.close()
  })

  it('a notification that a full queue refuses until its deadline says so', async () => {
    const driver = openReal(broker.urlFor({ vhost }))
    const topic = unique('t')
    const target = new Target({ topic })
    await driver.sendNotification(target, notificationOf(1), notify(5000))
    await broker.control.eval(
      `rabbit_policy:set(<<"${vhost}">>,<<"full">>,<<"^${topic}$">>,[{<<"max-length">>,1},{<<"overflow">>,<<"reject-publish">>}],0,<<"queues">>,<<"tests">>)`,
    )
    const error = await rejection(driver.sendNotification(target, notificationOf(2), notify(1500)))
    expect(error).toMatchObject({
      code: 'OSLO_MESSAGING_TIMEOUT',
      delivery: 'unknown',
      cause: { code: 'OSLO_MESSAGING_DELIVERY' },
    })
    expect(error.message).toMatch(/The broker refused the message/)
    await driver.close()
  })
})
