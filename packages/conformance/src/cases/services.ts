import assert from 'node:assert/strict'
import { getRpcClient, getRpcServer, Target } from '@oslo-messaging/core'
import { openRpcTransport, start, startGroup, StateEndpoint } from '../api.ts'
import type { ConformanceCase } from '../case.ts'
import { assertCode } from '../messages.ts'

/** The driver under the public RPC API: the acceptance tests of the library's functional suite. */
export const serviceCases: readonly ConformanceCase[] = [
  {
    name: 'service - calls to one of three servers change only that one (CallTestCase.test_specific_server)',
    needs: ['rpc'],
    async run(harness) {
      const transport = await openRpcTransport(harness)
      const topic = harness.unique()
      const endpoints = await startGroup(harness, transport, { topic })
      const client = getRpcClient(transport, new Target({ topic, server: 'server-1' }))
      for (const [text, expected] of [
        ['open', 'open'],
        ['stack', 'openstack'],
      ] as const)
        assert.equal(await client.call({}, 'append', { text }), expected)
      assert.equal(await client.call({}, 'add', { n: 2 }), 2)
      assert.equal(await client.call({}, 'add', { n: 10 }), 12)
      assert.equal(await client.call({}, 'subtract', { n: 3 }), 9)
      assert.deepEqual(
        endpoints.map(({ number, text }) => [number, text]),
        [
          [0, ''],
          [9, 'openstack'],
          [0, ''],
        ],
      )
    },
  },
  {
    name: 'service - calls to the topic are spread, each once and in order (CallTestCase.test_server_in_group)',
    needs: ['rpc'],
    async run(harness) {
      const transport = await openRpcTransport(harness)
      const topic = harness.unique()
      const endpoints = await startGroup(harness, transport, { topic })
      const client = getRpcClient(transport, new Target({ topic }))
      const histories = endpoints.map(({ history }) => history)
      const isOwed = (): boolean => histories.some((history) => history.length === 0)
      let calls = 0
      // A broker may draw lots instead of taking turns.
      while (calls < 14 || (isOwed() && calls < 60)) await client.call({}, 'add', { n: (calls += 1) })
      for (const history of histories) {
        assert.ok(history.length > 0, `every server gets a call: ${JSON.stringify(histories)}`)
        assert.deepEqual(
          history,
          history.toSorted((x, y) => x - y),
          'the order of sending per server',
        )
      }
      assert.deepEqual(
        histories.flat().toSorted((x, y) => x - y),
        Array.from({ length: calls }, (_, n) => n + 1),
        'each call once',
      )
    },
  },
  {
    name: 'service - groups in three exchanges get only their own calls (CallTestCase.test_different_exchanges)',
    needs: ['rpc', 'exchanges for rpc'],
    async run(harness) {
      const transport = await openRpcTransport(harness)
      const topic = harness.unique()
      const [a, b] = [harness.unique('a'), harness.unique('b')]
      const first = await startGroup(harness, transport, { topic })
      const second = await startGroup(harness, transport, { topic, exchange: a })
      const third = await startGroup(harness, transport, { topic, exchange: b })
      const one = getRpcClient(transport, new Target({ topic, server: 'server-1' }))
      for (let n = 1; n <= 14; n += 1) await one.call({}, 'add', { n })
      const spread = getRpcClient(transport, new Target({ topic, exchange: a }))
      for (let n = 1; n <= 12; n += 1) await spread.call({}, 'add', { n })
      const calls = (group: readonly StateEndpoint[]): readonly number[] => group.map(({ history }) => history.length)
      assert.deepEqual(calls(first), [0, 14, 0])
      assert.equal(
        calls(second).reduce((sum, count) => sum + count, 0),
        12,
      )
      assert.deepEqual(calls(third), [0, 0, 0])
    },
  },
  {
    name: 'service - a call to a topic nobody serves times out (CallTestCase.test_timeout)',
    needs: ['rpc'],
    async run(harness) {
      const transport = await openRpcTransport(harness)
      const client = getRpcClient(transport, harness.target(), { timeoutMs: harness.scaled(1000) })
      assertCode(
        await harness.rejection(client.call({}, 'm'), 'a call nobody serves'),
        'TIMEOUT',
        'a call nobody serves',
      )
    },
  },
  {
    name: 'service - an exception of the endpoint reaches the caller (CallTestCase.test_exception)',
    needs: ['rpc'],
    async run(harness) {
      const transport = await openRpcTransport(harness)
      const target = harness.target({ server: 'server' })
      await start(harness, getRpcServer(transport, target, [new StateEndpoint()]))
      const client = getRpcClient(transport, target)
      const error = await harness.rejection(client.call({}, 'subtract', { n: 3 }), 'a call whose method throws')
      assert.ok(error instanceof Error)
      assert.match(error.message, /cannot take 3 from 0/)
      assert.equal(await client.call({}, 'add', { n: 1 }), 1, 'the server goes on')
    },
  },
  {
    name: 'service - a slow call times out while ten others succeed (CallTestCase.test_timeout_with_concurrently_queues)',
    needs: ['rpc'],
    async run(harness) {
      const transport = await openRpcTransport(harness)
      const target = harness.target({ server: 'server' })
      const release = new AbortController()
      const slow = new Promise<void>((resolve) => release.signal.addEventListener('abort', () => resolve()))
      harness.afterwards(async () => release.abort())
      const endpoint = { slow: () => slow, quick: (_context: object, { n }: { readonly n: number }) => n }
      await start(harness, getRpcServer(transport, target, [endpoint]))
      harness.afterwards(async () => release.abort())
      const client = getRpcClient(transport, target)
      const late = harness.rejection(
        client.prepare({ timeoutMs: harness.scaled(1000) }).call({}, 'slow'),
        'the call of a slow method',
      )
      for (let n = 0; n < 10; n += 1) assert.equal(await client.call({}, 'quick', { n }), n)
      assertCode(await late, 'TIMEOUT', 'the call of a slow method')
    },
  },
  {
    name: 'service - version and namespace choose the endpoint (CallTestCase.test_endpoint_version_namespace)',
    needs: ['rpc'],
    async run(harness) {
      const transport = await openRpcTransport(harness)
      const target = harness.target({ server: 'server' })
      const endpoint = Object.assign(new StateEndpoint(), {
        target: new Target({ namespace: 'Name1', version: '7.5' }),
      })
      await start(harness, getRpcServer(transport, target, [endpoint]))
      const client = getRpcClient(transport, target).prepare({ namespace: 'Name1', version: '7.5' })
      assert.equal(await client.call({}, 'add', { n: 1 }), 1)
      for (const changes of [{ version: '7.6' }, { namespace: 'Name2' }]) {
        const failed = client.prepare(changes).call({}, 'add', { n: 1 })
        assert.ok((await harness.rejection(failed, JSON.stringify(changes))) instanceof Error)
      }
      assert.equal(endpoint.number, 1)
    },
  },
  {
    name: 'service - casts to one server change only it (CastTestCase.test_specific_server)',
    needs: ['rpc'],
    async run(harness) {
      const transport = await openRpcTransport(harness)
      const topic = harness.unique()
      const endpoints = await startGroup(harness, transport, { topic })
      const client = getRpcClient(transport, new Target({ topic, server: 'server-1' }))
      await client.cast({}, 'append', { text: 'open' })
      await client.cast({}, 'append', { text: 'stack' })
      await client.cast({}, 'add', { n: 2 })
      await client.cast({}, 'add', { n: 10 })
      await until(harness, () => endpoints[1]!.number === 12 && endpoints[1]!.text.length === 9, 'the four casts')
      assert.ok(['openstack', 'stackopen'].includes(endpoints[1]!.text), endpoints[1]!.text)
      for (const index of [0, 2]) assert.equal(endpoints[index]!.number, 0)
    },
  },
  {
    name: 'service - casts to the topic are spread (CastTestCase.test_server_in_group)',
    needs: ['rpc'],
    async run(harness) {
      const transport = await openRpcTransport(harness)
      const topic = harness.unique()
      const endpoints = await startGroup(harness, transport, { topic })
      const client = getRpcClient(transport, new Target({ topic }))
      for (let n = 0; n < 20; n += 1) await client.cast({}, 'add', { n: 1 })
      const sum = (): number => endpoints.reduce((total, { number }) => total + number, 0)
      await until(harness, () => sum() >= 20, '20 casts')
      assert.equal(sum(), 20)
      for (const { number } of endpoints) assert.ok(number > 0 && number < 20, `every server gets some, not ${number}`)
    },
  },
  {
    name: 'service - a fanout cast reaches all three (CastTestCase.test_fanout)',
    needs: ['rpc', 'rpcFanout'],
    async run(harness) {
      const transport = await openRpcTransport(harness)
      const topic = harness.unique()
      const endpoints = await startGroup(harness, transport, { topic })
      const client = getRpcClient(transport, new Target({ topic, fanout: true }))
      await client.cast({}, 'append', { text: 'stack' })
      await client.cast({}, 'add', { n: 2 })
      await client.cast({}, 'add', { n: 10 })
      await until(harness, () => endpoints.every(({ number, text }) => number === 12 && text === 'stack'), 'all three')
    },
  },
  {
    name: 'service - a monitored call outlives its monitor timeout (CallTestCase.test_monitor_long_call)',
    needs: ['rpc', 'rpcCallMonitoring'],
    async run(harness) {
      const transport = await openRpcTransport(harness)
      const target = harness.target({ server: 'server' })
      const monitorMs = Math.ceil(harness.scaled(2000) / 1000) * 1000
      const endpoint = {
        long: () => new Promise<string>((resolve) => setTimeout(() => resolve('done'), monitorMs * 1.5)),
      }
      await start(harness, getRpcServer(transport, target, [endpoint]))
      const client = getRpcClient(transport, target, { callMonitorTimeoutMs: monitorMs })
      assert.equal(await client.call({}, 'long'), 'done')
    },
  },
  {
    name: 'service - a stopped server leaves what it has not begun to the others',
    needs: ['rpc'],
    async run(harness) {
      const transport = await openRpcTransport(harness)
      const topic = harness.unique()
      const gate = new AbortController()
      const opened = new Promise<void>((resolve) => gate.signal.addEventListener('abort', () => resolve()))
      harness.afterwards(async () => gate.abort())
      let begun = 0
      const busy = { work: () => ((begun += 1), opened) }
      const first = getRpcServer(transport, new Target({ topic, server: 'busy' }), [busy], { workers: 1 })
      await first.start()
      const client = getRpcClient(transport, new Target({ topic }))
      const calls = [1, 2, 3].map(() => harness.inBackground(client.call({}, 'work')))
      await until(harness, () => begun === 1, 'the first call to begin')
      await start(harness, getRpcServer(transport, new Target({ topic, server: 'free' }), [{ work: () => 'free' }]))
      await first.stop()
      gate.abort()
      const results = await harness.soon(Promise.all(calls), 'all three results')
      await first.wait()
      assert.deepEqual(results.map(String).toSorted(), ['free', 'free', 'null'])
    },
  },
]

/** Looks again in every turn of the event loop in which something may have come: endpoints have no event to wait
 *  for. */
async function until(harness: { readonly patienceMs: number }, condition: () => boolean, what: string): Promise<void> {
  const giveUpAt = performance.now() + harness.patienceMs
  while (!condition()) {
    if (performance.now() > giveUpAt) throw new Error(`${what} did not come within ${harness.patienceMs} ms`)
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}
