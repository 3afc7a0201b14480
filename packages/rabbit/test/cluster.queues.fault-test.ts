import { type IncomingRequest, Target } from '@oslo-messaging/core/driver'
import type { RabbitBroker } from '@oslo-messaging/brokers'
import { afterAll, afterEach, describe, expect, it } from 'vitest'
import type { RabbitOptions } from '../src/config.ts'
import type { RabbitDriver } from '../src/driver.ts'
import { openReal, unique } from './support/broker.ts'
import { CLUSTER_VERSION, healed, leaderOf, nodeAt, urlOf } from './support/cluster.ts'
import { QUORUM_PROFILE } from './support/deprecated.ts'
import { callOptions, castOptions, echo, listenOptions } from './support/open-driver.ts'
import { ownRabbit, tell } from './support/own-broker.ts'
import { Traffic, watchUnhandled } from './support/traffic.ts'

const broker = await ownRabbit({ version: CLUSTER_VERSION, nodes: 3 })
const QUICK = { kombu_reconnect_delay: 0.5, rabbit_interval_max: 2 }
const isOld = CLUSTER_VERSION.startsWith('3')

/** A virtual host where the queues of `topic` and server `a` are led by the third node, and connections lead to the
 *  other two. */
async function ledByThird(
  it: RabbitBroker,
  options: Partial<RabbitOptions>,
): Promise<{ vhost: string; topic: string; url: string }> {
  const vhost = unique('led')
  await it.vhost(vhost)
  const topic = unique('t')
  const first = openReal(urlOf(it, vhost, [2]), { options })
  const listener = await first.listen(new Target({ topic, server: 'a' }), listenOptions<IncomingRequest>(echo))
  await listener.close()
  await first.close()
  expect(await leaderOf(it, topic, vhost)).toBe(2)
  await it.control.flush(2)
  return { vhost, topic, url: urlOf(it, vhost, [0, 1]) }
}

/** Sends casts numbered from 0 until told to stop; a number is in `confirmed` when its promise resolved. */
function keepCasting(driver: RabbitDriver, target: Target) {
  const state = { running: true, confirmed: [] as number[], refused: 0 }
  const cast = async (n: number): Promise<void> => {
    const message = { method: 'count', args: { n } }
    await driver.send(target, { context: {}, message }, castOptions({ timeoutMs: 10_000 })).then(
      () => state.confirmed.push(n),
      () => {
        state.refused += 1
      },
    )
  }
  const done = (async () => {
    for (let n = 0; state.running; n += 4) await Promise.all([cast(n), cast(n + 1), cast(n + 2), cast(n + 3)])
  })()
  return {
    state,
    async stop() {
      state.running = false
      await done
    },
  }
}

/** Notes the number of each request. */
function collect(into: number[]): (request: IncomingRequest) => void {
  return (request) => {
    request.acknowledge()
    into.push((request.message['args'] as { n: number }).n)
  }
}

const repeats = (numbers: readonly number[]): number => numbers.length - new Set(numbers).size

describe.skipIf(broker === undefined)(`queues of a cluster of three nodes (RabbitMQ ${CLUSTER_VERSION})`, () => {
  if (broker === undefined) return
  const unhandled = watchUnhandled()

  afterEach(async () => await healed(broker))
  afterAll(async () => {
    unhandled.stop()
    expect(unhandled.seen).toEqual([])
    await broker.close()
  })

  it('P01, P05 - the leader of the quorum queues is killed: calls go on with another leader, and every confirmed cast is handled', async () => {
    const options = { ...QUICK, ...QUORUM_PROFILE }
    const { vhost, topic, url } = await ledByThird(broker, options)
    const [client, server] = [openReal(url, { options }), openReal(url, { options })]
    const handled: number[] = []
    const listener = await server.listen(
      new Target({ topic, server: 'a' }),
      listenOptions<IncomingRequest>(
        (request) => (request.message['method'] === 'echo' ? echo(request) : collect(handled)(request)),
        { prefetch: 64 },
      ),
    )
    const traffic = new Traffic(client, topic, { timeoutMs: 10_000 })
    const casts = keepCasting(client, new Target({ topic }))
    await traffic.flows(15_000, 100)
    await nodeAt(broker, 2).kill()
    const gapMs = await traffic.flows(10_000, 100)
    expect(await leaderOf(broker, topic, vhost)).not.toBe(2)
    await healed(broker)
    await traffic.flows(10_000, 100)
    await casts.stop()
    await traffic.stop()
    tell(
      `quorum leader killed: 100 answers ${Math.round(gapMs)} ms later, ${traffic.failures.length} calls failed, longest gap ${Math.round(traffic.longestGapMs)} ms; ${casts.state.confirmed.length} casts confirmed, ${casts.state.refused} not`,
    )
    await expect.poll(() => missing(casts.state.confirmed, handled), { timeout: 10_000 }).toEqual([])
    expect(repeats(handled)).toBe(0)
    expect(traffic.untyped).toEqual([])
    expect(traffic.longestGapMs).toBeLessThan(10_000)
    await listener.close()
    await client.close()
    await server.close()
  })

  it('P01 - stream fanout: a node dies and both servers go on at their offsets: nothing confirmed is missed, nothing comes twice', async () => {
    const options = {
      ...QUICK,
      ...QUORUM_PROFILE,
      rabbit_stream_fanout: true,
      rabbit_qos_prefetch_count: 100,
    }
    const vhost = unique('stream')
    await broker.vhost(vhost)
    const topic = unique('t')
    const client = openReal(urlOf(broker, vhost, [0, 1]), { options })
    // The servers begin on the node that dies, and find another in their list.
    const url = urlOf(broker, vhost, [2, 1, 0])
    const servers = [openReal(url, { options }), openReal(url, { options })]
    const seen: number[][] = [[], []]
    const listeners = []
    for (const [index, server] of servers.entries())
      listeners.push(
        await server.listen(
          new Target({ topic, server: `s${index}` }),
          listenOptions<IncomingRequest>(collect(seen[index] ?? []), { prefetch: 100 }),
        ),
      )
    const leader = await leaderOf(broker, `${topic}_fanout`, vhost)
    const casts = keepCasting(client, new Target({ topic, fanout: true }))
    await expect.poll(() => seen.map((numbers) => numbers.length > 200), { timeout: 15_000 }).toEqual([true, true])
    await nodeAt(broker, leader).kill()
    const counts = seen.map((numbers) => numbers.length)
    await expect
      .poll(() => seen.map((numbers, index) => numbers.length > (counts[index] ?? 0) + 200), { timeout: 20_000 })
      .toEqual([true, true])
    await casts.stop()
    const { confirmed, refused } = casts.state
    await expect.poll(() => seen.map((numbers) => missing(confirmed, numbers)), { timeout: 10_000 }).toEqual([[], []])
    tell(
      `stream: leader n${leader + 1} killed; ${confirmed.length} fanout casts confirmed, ${refused} not; each server has all of them, ${seen.map(repeats).join(' and ')} twice`,
    )
    expect(seen.map(repeats)).toEqual([0, 0])
    for (const listener of listeners) await listener.close()
    for (const driver of [client, ...servers]) await driver.close()
  })

  it('P01, P15, P25 - a classic queue whose node is down: its listener is degraded by name until the node is back, others notice nothing', async () => {
    const options = { ...QUICK, amqp_durable_queues: true }
    const { vhost, topic, url } = await ledByThird(broker, options)
    const [client, server] = [openReal(url, { options }), openReal(url, { options })]
    const other = unique('other')
    // Its own queues are on another node than the one of the topic.
    const lost = await server.listen(new Target({ topic, server: 'b' }), listenOptions<IncomingRequest>(echo))
    const well = await server.listen(new Target({ topic: other, server: 'a' }), listenOptions<IncomingRequest>(echo))
    expect(await leaderOf(broker, other, vhost)).not.toBe(2)
    const traffic = new Traffic(client, other, { callers: 4 })
    await traffic.flows(10_000, 50)
    await nodeAt(broker, 2).kill()

    const stateOf = (name: string) => server.health().components.find((part) => part.name === name)
    await expect.poll(() => stateOf(`rpc ${topic}.b`)?.state, { timeout: 10_000 }).toBe('recovering')
    expect(server.health().status).toBe('degraded')
    expect(stateOf(`rpc ${topic}.b`)?.reason).toContain(`queue '${topic}'`)
    // The other queues of the same listener go on.
    const direct = client.send(
      new Target({ topic, server: 'b' }),
      { context: {}, message: { method: 'echo', args: { n: 2 } } },
      callOptions({ timeoutMs: 5000 }),
    )
    expect(await direct).toEqual({ result: 2, failure: null })
    expect(stateOf(`rpc ${topic}.b`)?.state).toBe('recovering')
    // Nobody can take it: the caller learns so at its deadline, not later.
    const startedAt = performance.now()
    const call = client.send(
      new Target({ topic }),
      { context: {}, message: { method: 'echo', args: { n: 1 } } },
      callOptions({ timeoutMs: 2000 }),
    )
    await expect(call).rejects.toMatchObject({ phase: expect.any(String) as string })
    expect(performance.now() - startedAt).toBeLessThan(2250)
    await traffic.flows(10_000, 50)
    expect(stateOf(`rpc ${other}.a`)?.state).toBe('consuming')
    expect(traffic.failures).toEqual([])
    tell(
      `queue's node down: listener ${String(stateOf(`rpc ${topic}.b`)?.state)}: ${String(stateOf(`rpc ${topic}.b`)?.reason)}`,
    )

    await healed(broker)
    const backAt = performance.now()
    await expect.poll(() => stateOf(`rpc ${topic}.b`)?.state, { timeout: 10_000 }).toBe('consuming')
    const back = new Traffic(client, topic, { callers: 4 })
    await back.flows(10_000, 20)
    tell(`node back: its listener answers ${Math.round(performance.now() - backAt)} ms after the cluster is whole`)
    await back.stop()
    await traffic.stop()
    expect(server.health().status).toBe('ok')
    await lost.close()
    await well.close()
    await client.close()
    await server.close()
  })

  // RabbitMQ 4 has no mirrored queues.
  if (!isOld) return
  it.each([
    { enable_cancel_on_failover: true, cancelled: true },
    { enable_cancel_on_failover: false, cancelled: false },
  ])(
    'P01, P21 - mirrored queues fail over with enable_cancel_on_failover = $enable_cancel_on_failover: calls go on, cancelled = $cancelled',
    async ({ enable_cancel_on_failover, cancelled }) => {
      const options = { ...QUICK, amqp_durable_queues: true, enable_cancel_on_failover }
      const { vhost, topic, url } = await ledByThird(broker, options)
      await broker.control.eval(
        `rabbit_policy:parse_set(<<"${vhost}">>,<<"ha">>,<<"^t-">>,<<"{\\"ha-mode\\":\\"all\\",\\"ha-sync-mode\\":\\"automatic\\"}">>,<<"0">>,<<"queues">>,<<"tests">>)`,
      )
      const synchronised =
        `{ok,Q}=rabbit_amqqueue:lookup(rabbit_misc:r(<<"${vhost}">>,queue,<<"${topic}">>)),` +
        'length(proplists:get_value(synchronised_slave_pids,rabbit_amqqueue:info(Q,[synchronised_slave_pids])))'
      await expect.poll(async () => await broker.control.eval(synchronised), { timeout: 20_000 }).toBe('2')
      const said: string[] = []
      const logger = {
        debug() {},
        info: (text: string) => said.push(text),
        warn: (text: string) => said.push(text),
        error: (text: string) => said.push(text),
      }
      const [client, server] = [openReal(url, { options }), openReal(url, { options, logger })]
      const handled: number[] = []
      const listener = await server.listen(
        new Target({ topic, server: 'a' }),
        listenOptions<IncomingRequest>(
          (request) => (request.message['method'] === 'echo' ? echo(request) : collect(handled)(request)),
          { prefetch: 64 },
        ),
      )
      const traffic = new Traffic(client, topic)
      const casts = keepCasting(client, new Target({ topic }))
      await traffic.flows(10_000, 100)
      await nodeAt(broker, 2).kill()
      const gapMs = await traffic.flows(10_000, 100)
      await casts.stop()
      await traffic.stop()
      tell(
        `mirrored master killed: 100 answers ${Math.round(gapMs)} ms later, ${traffic.failures.length} calls failed; ${said.filter((text) => text.includes('cancelled')).length} cancellations`,
      )
      await expect.poll(() => missing(casts.state.confirmed, handled), { timeout: 10_000 }).toEqual([])
      // What was delivered before may have been enough to go on with until then.
      await expect
        .poll(() => said.some((text) => text.includes('cancelled the consumer')), { timeout: cancelled ? 5000 : 1000 })
        .toBe(cancelled)
      // What the old master had delivered comes again; those the listener still remembers are dropped.
      expect(traffic.untyped).toEqual([])
      await listener.close()
      await client.close()
      await server.close()
    },
  )
})

function missing(wanted: readonly number[], seen: readonly number[]): readonly number[] {
  const there = new Set(seen)
  return wanted.filter((n) => !there.has(n))
}
