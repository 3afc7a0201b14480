import { type IncomingRequest, Target, TransportURL } from '@oslo-messaging/core/driver'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openReal, rabbit, unique } from '../support/broker.ts'
import { connectClient } from '../support/client-connection.ts'
import { castOptions, listenOptions } from '../support/open-driver.ts'

const broker = await rabbit()

describe.skipIf(broker === undefined)('fanout by a stream', () => {
  if (broker === undefined) return
  const { control } = broker
  const vhost = unique('streams')
  beforeAll(async () => void (await control.vhost(vhost)))
  afterAll(async () => await control.deleteVhost(vhost))

  it('every message is handled once, when the connection breaks with some of them in hand', async () => {
    const url = broker.urlFor({ vhost })
    const options = { rabbit_stream_fanout: true, rabbit_transient_quorum_queue: true, rabbit_qos_prefetch_count: 20 }
    const [client, server] = [openReal(url, { options }), openReal(url, { options })]
    const topic = unique('t')
    const handled: number[] = []
    const held: IncomingRequest[] = []
    const state = { hold: false }
    const handle = (request: IncomingRequest): void => {
      request.acknowledge()
      handled.push((request.message['args'] as { n: number }).n)
    }
    const listener = await server.listen(
      new Target({ topic, server: 'a' }),
      listenOptions<IncomingRequest>(
        (request) => {
          // Out of order: every third one is taken, the others wait for a worker.
          if (state.hold && held.push(request) % 3 !== 0) return
          handle(request)
        },
        { prefetch: 20 },
      ),
    )
    const fanout = new Target({ topic, fanout: true })
    const cast = async (n: number) =>
      void (await client.send(fanout, { context: {}, message: { method: 'm', args: { n } } }, castOptions()))
    for (let n = 0; n < 10; n += 1) await cast(n)
    await expect.poll(() => handled.length, { timeout: 10_000 }).toBe(10)
    state.hold = true
    for (let n = 10; n < 40; n += 1) await cast(n)
    await expect.poll(() => held.length, { timeout: 10_000 }).toBeGreaterThanOrEqual(20)
    state.hold = false
    await control.dropAllConnections({ vhost })
    await expect.poll(() => new Set(handled).size, { timeout: 15_000 }).toBe(40)
    expect(handled.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 40 }, (_, n) => n))
    await listener.close()
    await Promise.all([client.close(), server.close()])
  })

  it('what is sent while a server is away that has heard nothing yet is handled when it is back', async () => {
    const proxy = await broker.proxy()
    const options = { rabbit_stream_fanout: true, rabbit_transient_quorum_queue: true, rabbit_qos_prefetch_count: 20 }
    const client = openReal(broker.urlFor({ vhost }), { options })
    const server = openReal(broker.urlFor({ vhost, via: [proxy] }), { options })
    const topic = unique('t')
    const handled: number[] = []
    const listener = await server.listen(
      new Target({ topic, server: 'a' }),
      listenOptions<IncomingRequest>((request) => {
        request.acknowledge()
        handled.push((request.message['args'] as { n: number }).n)
      }),
    )
    await proxy.refuse()
    for (let n = 0; n < 5; n += 1)
      await client.send(
        new Target({ topic, fanout: true }),
        { context: {}, message: { method: 'm', args: { n } } },
        castOptions(),
      )
    await proxy.accept()
    await expect.poll(() => handled, { timeout: 15_000 }).toEqual([0, 1, 2, 3, 4])
    await listener.close()
    await Promise.all([client.close(), server.close(), proxy.close()])
  })

  it.each([
    { meanwhile: 3, what: 'fewer messages than were read of the old one' },
    { meanwhile: 12, what: 'more of them' },
  ])(
    'a stream that was deleted and made anew while a server was away, with $what: all are handled',
    async ({ meanwhile }) => {
      const proxy = await broker.proxy()
      const options = { rabbit_stream_fanout: true, rabbit_transient_quorum_queue: true, rabbit_qos_prefetch_count: 20 }
      const direct = broker.urlFor({ vhost })
      const [client, quick] = [openReal(direct, { options }), openReal(direct, { options })]
      const away = openReal(broker.urlFor({ vhost, via: [proxy] }), { options })
      const topic = unique('t')
      const fanout = new Target({ topic, fanout: true })
      const cast = async (n: number) =>
        void (await client.send(fanout, { context: {}, message: { method: 'm', args: { n } } }, castOptions()))
      const listen = async (driver: typeof client, server: string): Promise<number[]> => {
        const handled: number[] = []
        await driver.listen(
          new Target({ topic, server }),
          listenOptions<IncomingRequest>((request) => {
            request.acknowledge()
            handled.push((request.message['args'] as { n: number }).n)
          }),
        )
        return handled
      }
      const handled = [await listen(away, 'away'), await listen(quick, 'quick')]
      for (let n = 0; n < 10; n += 1) await cast(n)
      await expect.poll(() => handled.map(({ length }) => length), { timeout: 10_000 }).toEqual([10, 10])
      await proxy.refuse()
      // The one that is there makes it anew, and binds it afterwards: what is cast in between has no stream to go to.
      await control.deleteQueue(`${topic}_fanout`, vhost)
      const isBack = async () =>
        (await control.queue(`${topic}_fanout`, vhost)) !== undefined && quick.health().status === 'ok'
      await expect.poll(isBack, { timeout: 10_000 }).toBe(true)
      const last = 10 + meanwhile
      for (let n = 10; n < last; n += 1) await cast(n)
      await proxy.accept()
      await expect.poll(() => away.health().status, { timeout: 10_000 }).toBe('ok')
      for (let n = last; n < last + 2; n += 1) await cast(n)
      const all = Array.from({ length: last + 2 }, (_, n) => n)
      await expect.poll(() => handled, { timeout: 10_000 }).toEqual([all, all])
      await Promise.all([client.close(), quick.close(), away.close(), proxy.close()])
    },
  )

  it('an offset of more than 32 bits reaches the broker', async () => {
    const { hostname, port } = TransportURL.parse(broker.urlFor({ vhost })).hosts[0] ?? {}
    const connection = await connectClient({ hostname: hostname ?? '', port: port ?? 0, virtualHost: vhost })
    const channel = await connection.openChannel()
    const name = unique('stream')
    await channel.declareQueue({ name, durable: true, autoDelete: false, arguments: { 'x-queue-type': 'stream' } })
    await channel.prefetch(1)
    const options = { consumerTag: '1', noAck: false, arguments: { 'x-stream-offset': 2 ** 31 } }
    await channel.consume(name, options, () => {})
    expect(await channel.checkQueue(name)).toMatchObject({ messageCount: 0 })
    await connection.close()
  })
})
