import { type RabbitBroker, startBroker } from '@oslo-messaging/brokers'
import { Deadline, type IncomingNotification, type IncomingRequest, Target } from '@oslo-messaging/core/driver'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openReal, unique } from '../support/broker.ts'
import { conformance } from '../support/conformance.ts'
import { rejection, waitFor } from '../support/load.ts'
import { callOptions, castOptions, echo, listenOptions } from '../support/open-driver.ts'

const DURABLE_PROFILE = { amqp_durable_queues: true, rabbit_transient_quorum_queue: true }

describe('RabbitMQ 4.0', () => {
  let broker: RabbitBroker
  beforeAll(async () => {
    broker = await startBroker('rabbit', { version: '4.0' })
  })
  afterAll(async () => await broker.close())

  it('is the version asked for', () => expect(broker.version).toMatch(/^4\.0\./))

  conformance(() => broker)

  it('P04 - in the durable profile no deprecated feature is used', async () => {
    const vhost = unique('p04')
    await broker.control.vhost(vhost)
    const driver = openReal(broker.urlFor({ vhost }), { options: DURABLE_PROFILE })
    await everything(driver)
    await driver.close()
    // Of this virtual host: the conformance suite beside it uses the stock profile.
    const transient = await broker.control.eval(
      `length([Q||Q<-rabbit_amqqueue:list(<<"${vhost}">>),not amqqueue:is_durable(Q)])`,
    )
    expect(transient).toBe('0')
  })
})

describe('RabbitMQ 4.0 that refuses transient queues, as 4.3 does', () => {
  let broker: RabbitBroker
  beforeAll(async () => {
    broker = await startBroker('rabbit', {
      version: '4.0',
      config: { 'deprecated_features.permit.transient_nonexcl_queues': 'false' },
    })
  })
  afterAll(async () => await broker.close())

  it('P04 - the stock profile fails at once, says which option to set, and does not try again', async () => {
    const driver = openReal(await broker.control.vhost())
    const start = performance.now()
    const listening = await rejection(
      driver.listen(
        new Target({ topic: unique('t'), server: 'a' }),
        listenOptions<IncomingRequest>(() => {}),
      ),
    )
    expect(listening).toMatchObject({
      code: 'OSLO_MESSAGING_CONFIGURATION',
      option: '[oslo_messaging_rabbit] rabbit_transient_quorum_queue',
    })
    expect(listening.message).toContain('amqp_durable_queues = true')
    const calling = await rejection(
      driver.send(new Target({ topic: 't' }), { context: {}, message: { method: 'm', args: {} } }, callOptions()),
    )
    expect(calling).toMatchObject({ code: 'OSLO_MESSAGING_CONFIGURATION' })
    expect(performance.now() - start).toBeLessThan(4000)
    await driver.close()
  })

  it('P04 - the durable profile works: calls, casts, fanouts and notifications; nothing deprecated is used', async () => {
    const driver = openReal(await broker.control.vhost(), { options: DURABLE_PROFILE })
    await everything(driver)
    await driver.close()
    expect(await broker.control.eval('maps:keys(rabbit_deprecated_features:list(used))')).toBe('[]')
  })
})

/** One of each kind of message, through one driver. */
async function everything(driver: ReturnType<typeof openReal>): Promise<void> {
  const target = new Target({ topic: unique('t') })
  const message = { method: 'm', args: { n: 7 } }
  let requests = 0
  const listener = await driver.listen(
    target.with({ server: 'a' }),
    listenOptions<IncomingRequest>(
      (request) => {
        requests += 1
        echo(request)
      },
      { deadline: Deadline.after(20_000) },
    ),
  )
  expect(await driver.send(target, { context: {}, message }, callOptions({ timeoutMs: 20_000 }))).toEqual({
    result: 7,
    failure: null,
  })
  await driver.send(target, { context: {}, message }, castOptions())
  await driver.send(target.with({ fanout: true }), { context: {}, message }, castOptions())
  await waitFor('all three', () => requests === 3, 5000)
  const topic = unique('n')
  const got: IncomingNotification[] = []
  const subscribed = await driver.listenForNotifications(
    [{ target: new Target({ topic }), priority: 'info' }],
    listenOptions<IncomingNotification>((notification) => (got.push(notification), notification.acknowledge())),
  )
  await driver.sendNotification(
    new Target({ topic: `${topic}.info` }),
    {
      context: {},
      message: { message_id: 'i', publisher_id: 'p', event_type: 'e', priority: 'INFO', payload: 1, timestamp: 't' },
    },
    { version: '2.0', deadline: Deadline.after(5000), retries: 0 },
  )
  await waitFor('the notification', () => got.length === 1, 5000)
  await listener.close()
  await subscribed.close()
}
