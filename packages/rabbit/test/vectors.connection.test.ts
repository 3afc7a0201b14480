import { type IncomingRequest, Target } from '@oslo-messaging/core/driver'
import { describe, expect, it } from 'vitest'
import { FakeBroker } from './support/fake-broker.ts'
import { rejection } from './support/load.ts'
import { callOptions, echo, listenOptions, openDriver } from './support/open-driver.ts'
import { SETS } from './support/vector-sets.ts'
import { type Vector, vectors } from './support/vectors.ts'

const target = new Target({ topic: 'demo', server: 'node1' })
const request = { context: {}, message: { method: 'text', args: { text: 'x' } } }

function only(set: readonly Vector[]): Vector {
  const [vector] = set
  if (vector === undefined) throw new Error('missing')
  return vector
}

/** Methods of one kind that Python sent. */
function sent(vector: Vector, method: string): readonly Readonly<Record<string, unknown>>[] {
  return vector.normalized
    .filter((frame) => frame.direction === 'sent' && frame.method === method)
    .map(({ args }) => args)
}

describe('connections', () => {
  it('rabbit-connection-handshake.json', async () => {
    const vector = only(SETS.handshake)
    const broker = new FakeBroker()
    const driver = openDriver(broker)
    const listener = await driver.listen(
      target,
      listenOptions<IncomingRequest>(() => {}),
    )
    const [start] = sent(vector, 'connection.start-ok')
    const [tune] = sent(vector, 'connection.tune-ok')
    const [open] = sent(vector, 'connection.open')
    expect(broker.attempts).toMatchObject([
      {
        mechanism: start?.['mechanism'],
        username: 'guest',
        password: 'guest',
        heartbeat: tune?.['heartbeat'],
        virtualHost: open?.['virtual_host'],
      },
    ])
    // <program>:<pid>:<connection uuid>; the product is this one's own.
    expect(broker.attempts[0]?.clientProperties).toEqual({
      product: 'oslo.messaging for Node.js',
      connection_name: expect.stringMatching(new RegExp(`^test:${process.pid}:[0-9a-f-]{36}$`)) as string,
    })
    await listener.close()
    await driver.close()
  })

  it('rabbit-server-stop.json', async () => {
    const broker = new FakeBroker()
    const driver = openDriver(broker)
    const listener = await driver.listen(
      target,
      listenOptions<IncomingRequest>(() => {}),
    )
    await listener.close()
    await driver.close()
    const deleted = broker
      .sent('queue.delete')
      .map(({ args }) => String(args['queue']).replace(/[0-9a-f]{32}/, '<fanout-1>'))
    expect(deleted).toEqual(sent(only(SETS.serverStop), 'queue.delete').map(({ queue }) => queue))
    expect(broker.open).toEqual([])
  })

  it('rabbit-client-cleanup.json', async () => {
    const broker = new FakeBroker()
    const [driver, server] = [openDriver(broker), openDriver(broker)]
    const listener = await server.listen(target, listenOptions<IncomingRequest>(echo))
    await driver.send(new Target({ topic: 'demo' }), request, callOptions())
    const before = broker.frames.length
    await driver.close()
    // Like Python's, it leaves its reply queue to expire: nothing but closing is sent.
    expect(sent(only(SETS.clientCleanup), 'queue.delete')).toEqual([])
    expect(broker.frames.slice(before)).toEqual([])
    expect([...broker.queues.keys()].some((name) => name.startsWith('reply_'))).toBe(true)
    await listener.close()
    await server.close()
    expect(broker.open).toEqual([])
  })

  it('rabbit-edge-reply-monitor-timeout.json', async () => {
    const {
      client_options: { call_monitor_timeout: seconds },
    } = only(SETS.silence).api as { client_options: { call_monitor_timeout: number } }
    const broker = new FakeBroker()
    const driver = openDriver(broker)
    const start = performance.now()
    const call = driver.send(
      new Target({ topic: 'demo' }),
      request,
      callOptions({ timeoutMs: 30_000, callMonitorTimeoutMs: seconds * 1000 }),
    )
    expect(await rejection(call)).toMatchObject({ code: 'OSLO_MESSAGING_SERVER_LOST' })
    expect(Math.abs(performance.now() - start - seconds * 1000)).toBeLessThan(500)
    await driver.close()
  })
})

describe('the captured messages', () => {
  it('are all run: none is left out', () => {
    const run = new Set(Object.values<readonly Vector[]>(SETS).flatMap((set) => set.map(({ file }) => file)))
    const all = vectors('rabbit-').map(({ file }) => file)
    expect(all.filter((file) => !run.has(file))).toEqual([])
    const times = Object.values<readonly Vector[]>(SETS).reduce((sum, { length }) => sum + length, 0)
    process.stdout.write(`rabbit vectors: ${run.size} of ${all.length} files executed, ${times} checks, none skipped\n`)
  })
})
