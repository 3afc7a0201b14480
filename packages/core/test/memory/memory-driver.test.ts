import { randomUUID } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import type { IncomingNotification, IncomingRequest } from '../../src/driver/messages.ts'
import type { Driver } from '../../src/driver/driver.ts'
import { Target } from '../../src/target.ts'
import { createDriverContext } from '../../src/testing/driver-context.ts'
import { createMemoryDriver } from '../../src/memory/create-memory-driver.ts'
import { createFaults } from '../../src/testing/faults.ts'
import { createManualClock } from '../../src/testing/manual-clock.ts'
import { memoryDriver } from '../../src/memory/memory-driver.ts'
import { createRecorder } from '../../src/testing/recorder.ts'
import { TransportHost, TransportURL } from '../../src/url/transport-url.ts'
import { Deadline } from '../../src/util/deadline.ts'
import type { Clock } from '../../src/util/clock.ts'

const url = new TransportURL({ transport: 'memory' })
const unique = (): string => randomUUID().slice(0, 8)
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

const sendOptions = (timeoutMs: number | null, clock?: Clock, more = {}) => ({
  waitForReply: true,
  deadline: Deadline.after(timeoutMs, clock === undefined ? {} : { clock }),
  expiresInMs: timeoutMs,
  callMonitorTimeoutMs: null,
  retries: null,
  atLeastOnce: false,
  ...more,
})
const castOptions = (more = {}) => sendOptions(5000, undefined, { waitForReply: false, expiresInMs: null, ...more })
const listenOptions = <M>(onMessage: (message: M) => void, prefetch = 10) => ({
  deadline: Deadline.after(5000),
  prefetch,
  onMessage,
})
const notifyOptions = () => ({ version: '2.0' as const, deadline: Deadline.after(5000), retries: null })
const notification = (payload: unknown) => ({
  context: {},
  message: { message_id: unique(), publisher_id: 'p', event_type: 'e', priority: 'INFO', payload, timestamp: '' },
})
const echo = (request: IncomingRequest): void => {
  request.acknowledge()
  void request.reply({ result: request.message['args'], failure: null })
}

describe('memory driver', () => {
  it('memory - transports of one URL meet and those of another virtual host do not', async () => {
    const topic = unique()
    const server = await memoryDriver.open(url, createDriverContext(memoryDriver))
    const client = await memoryDriver.open(new TransportURL({ transport: 'fake' }), createDriverContext(memoryDriver))
    const stranger = await memoryDriver.open(
      new TransportURL({ transport: 'memory', virtualHost: 'other' }),
      createDriverContext(memoryDriver),
    )
    await server.listen(new Target({ topic, server: 'a' }), listenOptions(echo))
    const args = { n: 1 }
    const reply = await client.send(
      new Target({ topic }),
      { context: {}, message: { method: 'm', args } },
      sendOptions(5000),
    )
    expect(reply).toEqual({ result: { n: 1 }, failure: null })
    expect(reply?.result).not.toBe(args)
    await expect(
      stranger.send(
        new Target({ topic }),
        { context: {}, message: { method: 'm', args } },
        {
          ...sendOptions(5000),
          atLeastOnce: true,
        },
      ),
    ).rejects.toMatchObject({ code: 'OSLO_MESSAGING_UNDELIVERABLE', routingKey: topic })
    await Promise.all([server.close(), client.close(), stranger.close()])
  })

  it('memory - a credential of the URL is nowhere in the health report', async () => {
    const secret = new TransportURL({
      transport: 'memory',
      hosts: [new TransportHost({ hostname: 'h', username: 'user', password: 'hunter2' })],
    })
    const driver = await memoryDriver.open(secret, createDriverContext(memoryDriver))
    await driver.listen(new Target({ topic: 't', server: 's' }), listenOptions(echo))
    expect(driver.health()).toMatchObject({ status: 'ok', components: [{ name: 'memory h/' }, { kind: 'listener' }] })
    expect(JSON.stringify(driver.health())).not.toContain('hunter2')
    await driver.close()
    expect(driver.health().status).toBe('closed')
  })

  it('memory - what lies in a full queue holds back the sender until there is room', async () => {
    const definition = createMemoryDriver()
    const driver = await definition.open(url, createDriverContext(definition, { options: { queue_max_length: 2 } }))
    const target = new Target({ topic: 'q.info' })
    for (const n of [1, 2]) await driver.sendNotification(target, notification(n), notifyOptions())
    await expect(
      driver.sendNotification(target, notification('late'), { ...notifyOptions(), deadline: Deadline.after(20) }),
    ).rejects.toMatchObject({ code: 'OSLO_MESSAGING_BACKPRESSURE', delivery: 'not-sent' })
    const waiting = [3, 4, 5].map((n) => driver.sendNotification(target, notification(n), notifyOptions()))
    const got: unknown[] = []
    await driver.listenForNotifications([{ target: new Target({ topic: 'q' }), priority: 'info' }], {
      ...listenOptions<IncomingNotification>((message) => {
        got.push(message.message['payload'])
        message.acknowledge()
      }, 1),
      pool: null,
      allowRequeue: false,
    })
    await Promise.all(waiting)
    await turn()
    expect(got).toEqual([1, 2, 3, 4, 5])
    await driver.close()
  })

  it('memory - a closed driver rejects what waits for room and what waits for a reply', async () => {
    const definition = createMemoryDriver()
    const driver = await definition.open(url, createDriverContext(definition, { options: { queue_max_length: 1 } }))
    const target = new Target({ topic: 'q.info' })
    await driver.sendNotification(target, notification(1), notifyOptions())
    const full = driver.sendNotification(target, notification(2), notifyOptions())
    const call = driver.send(
      new Target({ topic: 'nobody' }),
      { context: {}, message: { method: 'm', args: {} } },
      sendOptions(5000),
    )
    const both = Promise.allSettled([full, call])
    await driver.close()
    expect(await both).toMatchObject([
      { status: 'rejected', reason: { code: 'OSLO_MESSAGING_CLOSED', delivery: 'not-sent' } },
      { status: 'rejected', reason: { code: 'OSLO_MESSAGING_CLOSED', phase: 'reply' } },
    ])
  })

  it('memory - an expired request leaves the queue before a server comes', async () => {
    const clock = createManualClock()
    const definition = createMemoryDriver()
    const driver = await definition.open(url, createDriverContext(definition, { clock }))
    const target = new Target({ topic: 't', server: 's' })
    await (await driver.listen(target, { ...listenOptions(echo), deadline: Deadline.after(null) })).close()
    const call = driver.send(
      new Target({ topic: 't' }),
      { context: {}, message: { method: 'old', args: {} } },
      sendOptions(100, clock),
    )
    const failure = call.catch((error: unknown) => error)
    await clock.advance(100)
    expect(await failure).toMatchObject({ code: 'OSLO_MESSAGING_TIMEOUT', phase: 'reply', delivery: 'confirmed' })
    await driver.send(new Target({ topic: 't' }), { context: {}, message: { method: 'cast', args: {} } }, castOptions())
    const got: unknown[] = []
    await driver.listen(
      target,
      listenOptions<IncomingRequest>(({ message }) => got.push(message['method'])),
    )
    await clock.advance(1)
    expect(got).toEqual(['cast'])
    await driver.close()
  })

  it('memory - a storm of messages that beget messages leaves timers their turn', async () => {
    const definition = createMemoryDriver()
    const driver = await definition.open(url, createDriverContext(definition))
    let running = true
    const again = (): Promise<unknown> =>
      driver.send(new Target({ topic: 't' }), { context: {}, message: { method: 'm', args: {} } }, castOptions())
    await driver.listen(
      new Target({ topic: 't', server: 's' }),
      listenOptions<IncomingRequest>((request) => {
        request.acknowledge()
        if (running) void again()
      }),
    )
    await again()
    await new Promise((resolve) => setTimeout(resolve, 5))
    running = false
    await driver.close()
  })
})

describe('memory driver faults', () => {
  async function openWithFaults(): Promise<{
    driver: Driver
    faults: ReturnType<typeof createFaults>
    recorder: ReturnType<typeof createRecorder>
    clock: ReturnType<typeof createManualClock>
  }> {
    const [faults, recorder, clock] = [createFaults(), createRecorder(), createManualClock()]
    const definition = createMemoryDriver({ faults, recorder })
    return { driver: await definition.open(url, createDriverContext(definition, { clock })), faults, recorder, clock }
  }
  const target = new Target({ topic: 't', server: 's' })
  const request = { context: { user: 'u' }, message: { method: 'm', args: { n: 1 } } }

  it('faults - the second reply is dropped and the others arrive', async () => {
    const { driver, faults, clock } = await openWithFaults()
    await driver.listen(target, listenOptions(echo))
    faults.dropReply({ nth: 2 })
    const outcomes = Promise.allSettled([1, 2, 3].map(() => driver.send(target, request, sendOptions(100, clock))))
    await clock.advance(100)
    expect((await outcomes).map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled'])
    await driver.close()
  })

  it('faults - a refused publish is tried again, and fails with the attempts when retries are spent', async () => {
    const { driver, faults, recorder, clock } = await openWithFaults()
    await driver.listen(target, listenOptions(echo))
    faults.refusePublish({ nth: 1 })
    const call = driver.send(target, request, sendOptions(5000, clock))
    await clock.advance(1000)
    expect(await call).toMatchObject({ failure: null })
    expect(recorder.calls({ topic: 't', method: 'm' })).toHaveLength(1)
    faults.refusePublish({ every: true })
    await expect(driver.send(target, request, sendOptions(5000, clock, { retries: 0 }))).rejects.toMatchObject({
      code: 'OSLO_MESSAGING_DELIVERY',
      attempts: 1,
      delivery: 'not-sent',
    })
    await driver.close()
  })

  it('faults - after a cut listeners recover, get unsettled messages again in order, and sends go on', async () => {
    const { driver, faults, recorder, clock } = await openWithFaults()
    const got: string[] = []
    await driver.listen(
      target,
      listenOptions<IncomingRequest>(({ message, redelivered, deliveryCount }) => {
        got.push(`${String(message['method'])} ${String(redelivered)} ${deliveryCount}`)
      }, 2),
    )
    for (const method of ['a', 'b', 'c'])
      await driver.send(target, { context: {}, message: { method, args: {} } }, castOptions())
    await turn()
    expect(got).toEqual(['a false 0', 'b false 0'])
    faults.disconnect()
    expect(driver.health()).toMatchObject({
      status: 'degraded',
      components: [{ state: 'recovering' }, { state: 'recovering' }],
    })
    const cast = driver.send(target, { context: {}, message: { method: 'd', args: {} } }, castOptions())
    await turn()
    expect(recorder.calls({ method: 'd' })).toHaveLength(0)
    faults.reconnect()
    await cast
    await clock.advance(1)
    expect(got.slice(2)).toEqual(['a true 1', 'b true 1'])
    expect(driver.health().status).toBe('ok')
    await driver.close()
  })

  it('faults - a cut that loses replies fails the waiting calls, one that keeps them delivers afterwards', async () => {
    const { driver, faults } = await openWithFaults()
    const requests: IncomingRequest[] = []
    await driver.listen(
      target,
      listenOptions<IncomingRequest>((request) => requests.push(request)),
    )
    const kept = driver.send(target, request, sendOptions(5000))
    await turn()
    faults.disconnect()
    const replied = requests[0]?.reply({ result: 'kept', failure: null })
    faults.reconnect()
    await replied
    expect(await kept).toEqual({ result: 'kept', failure: null })
    const lost = driver.send(target, request, sendOptions(5000))
    const failure = lost.catch((error: unknown) => error)
    await turn()
    faults.disconnect({ loseReplies: true })
    expect(await failure).toMatchObject({ code: 'OSLO_MESSAGING_REPLY_PATH_LOST' })
    await driver.close()
  })

  it('faults - a blocked broker holds sends back until it is free or the deadline passes', async () => {
    const { driver, faults, clock } = await openWithFaults()
    await driver.listen(target, listenOptions(echo))
    faults.block('memory alarm')
    expect(driver.health()).toMatchObject({ status: 'blocked' })
    const late = driver.send(target, request, sendOptions(50, clock)).catch((error: unknown) => error)
    const call = driver.send(target, request, sendOptions(5000, clock))
    await clock.advance(50)
    expect(await late).toMatchObject({ code: 'OSLO_MESSAGING_TIMEOUT', phase: 'publish', delivery: 'not-sent' })
    faults.unblock()
    expect(await call).toMatchObject({ failure: null })
    await driver.close()
  })

  it('faults - a duplicated and a delayed delivery', async () => {
    const { driver, faults, clock } = await openWithFaults()
    const got: unknown[] = []
    await driver.listen(
      target,
      listenOptions<IncomingRequest>(({ message }) => got.push(message['method'])),
    )
    faults.duplicateDelivery({ nth: 1 })
    await driver.send(target, { context: {}, message: { method: 'twice', args: {} } }, castOptions())
    await turn()
    expect(got).toEqual(['twice', 'twice'])
    faults.delayDelivery(100)
    await driver.send(target, { context: {}, message: { method: 'later', args: {} } }, castOptions())
    await clock.advance(99)
    expect(got).toHaveLength(2)
    await clock.advance(1)
    expect(got[2]).toBe('later')
    await driver.close()
  })

  it('faults - listeners lost for good reject their closed promise and show in health', async () => {
    const { driver, faults } = await openWithFaults()
    const listener = await driver.listen(target, listenOptions(echo))
    faults.failListeners(new Error('revoked'))
    await expect(listener.closed).rejects.toThrow('revoked')
    expect(driver.health()).toMatchObject({
      status: 'failed',
      components: expect.arrayContaining([
        expect.objectContaining({ kind: 'listener', state: 'failed', reason: 'revoked' }),
      ]),
    })
    await listener.close()
    expect(driver.health().status).toBe('ok')
    await driver.close()
  })
})
