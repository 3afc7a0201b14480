import { rmSync } from 'node:fs'
import { Deadline, type IncomingRequest, Target } from '@oslo-messaging/core/driver'
import { describe, expect, it } from 'vitest'
import { amqpError, FakeBroker, type Frame } from './support/fake-broker.ts'
import { callOptions, castOptions, echo, listenOptions, openDriver } from './support/open-driver.ts'
import { SETS } from './support/vector-sets.ts'
import { type Vector, type VectorFrame, vectorOptions } from './support/vectors.ts'

const DECLARING = ['exchange.declare', 'queue.declare', 'queue.bind', 'basic.consume', 'basic.qos', 'queue.delete']

/** A sent frame as a comparable line; fields that are off are left out, generated names are replaced. */
function line(method: string, args: Readonly<Record<string, unknown>>): string {
  const kept = Object.entries(args)
    .filter(
      ([name, value]) => value !== false && value !== '' && name !== 'arguments_types' && name !== 'prefetch_size',
    )
    .filter(([, value]) => !(typeof value === 'object' && value !== null && Object.keys(value).length === 0))
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
  const text = `${method} ${JSON.stringify(Object.fromEntries(kept))}`
  return text.replaceAll(/(reply_|_fanout_)([0-9a-f]{32}|<[a-z]+-\d+>)/g, '$1<id>')
}

/** What Python sent, without the exchange it declares once more before each publish: here that is remembered. */
function expected(frames: readonly VectorFrame[]): readonly string[] {
  const lines = frames
    .filter(({ direction, method }) => direction === 'sent' && DECLARING.includes(method))
    .map(({ method, args }) => line(method, args))
  return lines
}

function sent(broker: FakeBroker, frames: readonly Frame[] = broker.frames): readonly string[] {
  return frames.filter(({ method }) => DECLARING.includes(method)).map(({ method, args }) => line(method, args))
}

/** Without the prefetch that this driver always sets: Python leaves it out unless the option asks for it. */
function withoutOwnPrefetch(lines: readonly string[], vector: Vector): readonly string[] {
  return vectorOptions(vector)['rabbit_qos_prefetch_count'] === undefined
    ? lines.filter((text) => !text.startsWith('basic.qos'))
    : lines
}

/** Everything is declared before anything is consumed, and the prefetch comes with the consuming channel: its place
 *  among the declarations is free. */
function sorted(lines: readonly string[]): readonly string[] {
  return [
    ...lines.filter((text) => text.startsWith('basic.qos')),
    ...lines.filter((text) => !text.startsWith('basic.qos')),
  ]
}

/** The vectors were captured in a fresh process group. */
function forgetQueueNumbers(): void {
  rmSync('/dev/shm/node1.example.com_demo-service_qmanager', { force: true })
}

function serverTarget({ api }: Vector): Target {
  return new Target((api as { server_target: { topic: string; server: string } }).server_target)
}

describe('declarations of an RPC server', () => {
  it.each(SETS.serverDeclarations.map((vector) => [vector.file, vector] as const))('%s', async (_file, vector) => {
    const broker = new FakeBroker()
    forgetQueueNumbers()
    const driver = openDriver(broker, { options: vectorOptions(vector) })
    const server = await driver.listen(
      serverTarget(vector),
      listenOptions<IncomingRequest>(() => {}),
    )
    expect(sorted(withoutOwnPrefetch(sent(broker), vector))).toEqual(sorted(expected(vector.normalized)))
    await server.close()
    await driver.close()
  })
})

describe('what a stopping RPC server deletes', () => {
  it.each(SETS.serverStops.map((vector) => [vector.file, vector] as const))('%s', async (_file, vector) => {
    const broker = new FakeBroker()
    const driver = openDriver(broker, { options: vectorOptions(vector) })
    const server = await driver.listen(
      new Target({ topic: 'demo', server: 'node1' }),
      listenOptions<IncomingRequest>(() => {}),
    )
    broker.frames.length = 0
    await server.close()
    const deleted = sent(broker).filter((text) => text.startsWith('queue.delete'))
    expect(deleted).toEqual(expected(vector.normalized).filter((text) => text.startsWith('queue.delete')))
    await driver.close()
  })
})

describe('declarations of a notification listener', () => {
  it.each(SETS.listenerDeclarations.map((vector) => [vector.file, vector] as const))('%s', async (_file, vector) => {
    const broker = new FakeBroker()
    const driver = openDriver(broker, { options: vectorOptions(vector) })
    const { targets, endpoint_methods, pool } = vector.api as {
      targets: { topic: string }[]
      endpoint_methods: string[]
      pool?: string
    }
    const sources = targets.flatMap((target) =>
      endpoint_methods.map((priority) => ({ target: new Target(target), priority })),
    )
    const listener = await driver.listenForNotifications(
      sources,
      listenOptions(() => {}, { pool: pool ?? null }),
    )
    const lines = withoutOwnPrefetch(sent(broker), vector)
    const wanted = expected(vector.normalized)
    // Python's order of topics and priorities is that of a set; consumer tags follow it. A pool's queue is bound to
    // several keys at once here.
    const unordered = (texts: readonly string[]) =>
      [...new Set(texts.map((text) => text.replace(/"consumer_tag":"\d+",/, '')))].toSorted()
    expect(unordered(lines)).toEqual(unordered(wanted))
    expect(lines.findIndex((text) => text.startsWith('basic.consume'))).toBeGreaterThan(
      lines.findLastIndex((text) => text.startsWith('queue.bind')),
    )
    await listener.close()
    await driver.close()
  })
})

describe('declarations of a notifier', () => {
  it.each(SETS.notifierDeclarations.map((vector) => [vector.file, vector] as const))('%s', async (_file, vector) => {
    const broker = new FakeBroker()
    const driver = openDriver(broker, { options: vectorOptions(vector) })
    await driver.sendNotification(
      new Target({ topic: 'notifications.info' }),
      {
        context: {},
        message: {
          message_id: 'i',
          publisher_id: 'p',
          event_type: 'e',
          priority: 'INFO',
          payload: {},
          timestamp: 't',
        },
      },
      { version: '2.0', deadline: Deadline.after(5000), retries: 0 },
    )
    // The second declaration of the exchange is the one Python makes before it publishes; here the first one counts.
    expect(sent(broker)).toEqual(expected(vector.normalized).slice(0, -1))
    await driver.close()
  })
})

describe('declarations of a client', () => {
  it.each(SETS.clientDeclarations.map((vector) => [vector.file, vector] as const))('%s', async (_file, vector) => {
    const broker = new FakeBroker()
    const options = vectorOptions(vector)
    const server = openDriver(broker, { options })
    const listener = await server.listen(
      new Target({ topic: 'demo', server: 'node1' }),
      listenOptions<IncomingRequest>(echo),
    )
    broker.frames.length = 0
    const driver = openDriver(broker, { options })
    const request = { context: {}, message: { method: 'text', args: { text: 'warm' } } }
    await driver.send(new Target({ topic: 'demo' }), request, callOptions())
    if (vector.operation.includes('fanout'))
      await driver.send(new Target({ topic: 'demo', fanout: true }), request, castOptions())
    const wanted = expected(vector.normalized.filter(({ peer }) => peer === 'client'))
    const lines = withoutOwnPrefetch(sent(broker), vector)
    expect(sorted(lines.map(withoutSuffix))).toEqual(sorted(wanted.map(withoutSuffix)))
    await driver.close()
    await listener.close()
    await server.close()
  })

  /** Names of the queue manager are tested where they are made; a second process has its own number. */
  function withoutSuffix(text: string): string {
    return text.replaceAll(/reply_[^"]+/g, 'reply_<id>')
  }
})

describe('durable fallback', () => {
  it('rabbit-declare-durable-mismatch-fallback.json', async () => {
    const [vector] = SETS.fallback
    if (vector === undefined) throw new Error('missing')
    const broker = new FakeBroker()
    broker.onMethod = (method, { exchange, durable }) => {
      if (method === 'exchange.declare' && exchange === 'openstack' && durable === true)
        throw amqpError(
          406,
          "PRECONDITION_FAILED - inequivalent arg 'durable' for exchange 'openstack' in vhost '/': received 'true' but current is 'false'",
        )
    }
    const driver = openDriver(broker, { options: vectorOptions(vector) })
    const server = await driver.listen(
      serverTarget(vector),
      listenOptions<IncomingRequest>(() => {}),
    )
    expect(withoutOwnPrefetch(sent(broker), vector)).toEqual(expected(vector.normalized))
    await server.close()
    await driver.close()
  })
})
