import assert from 'node:assert/strict'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { getRpcClient, getRpcServer, Target } from '@oslo-messaging/core'
import { openRpcTransport, start } from '../api.ts'
import type { ConformanceCase } from '../case.ts'
import type { Harness } from '../harness.ts'
import { acknowledge, ascending, echo, payloads } from '../messages.ts'
import type { ConformanceLoad } from '../options.ts'

const DEFAULTS: ConformanceLoad = {
  servers: 300,
  topics: 1_000,
  bytes: 4 * 1_048_576,
  unbounded: 50_000,
  historyMs: 15_000,
}
/** What one driver may keep of 2,000 messages of 2 KB that are done: less than a tenth of them a round. */
const KEPT_BYTES = 8 * 1_048_576
const ROUNDS = 6
const ROUND = 2_000

const loadOf = ({ knobs }: Harness): ConformanceLoad => ({ ...DEFAULTS, ...knobs.load })

/** Many things, large things, slow things, and things that end while much is under way. */
export const loadCases: readonly ConformanceCase[] = [
  {
    name: 'load - hundreds of servers and callers in one driver each, every call gets its own reply',
    level: 2,
    needs: ['rpc'],
    async run(harness) {
      const { servers } = loadOf(harness)
      const [serving, calling] = [await harness.open(), await harness.open()]
      const targets = Array.from({ length: servers }, () => harness.target({ server: 'a' }))
      for (let begun = 0; begun < servers; begun += 25)
        await Promise.all(
          targets.slice(begun, begun + 25).map((target) => harness.serve(serving, target, { onRequest: echo })),
        )
      const replies = await Promise.all(
        targets.map((target, n) => harness.call(calling, target, 'm', { n }, { deadline: harness.deadline(30_000) })),
      )
      assert.deepEqual(
        replies.map(({ result }) => result),
        targets.map((_, n) => ({ n })),
      )
    },
  },
  {
    name: 'load - a thousand topics: each gets its own notification',
    level: 2,
    needs: ['notifications', 'storesBeforeListeners'],
    async run(harness) {
      const { topics } = loadOf(harness)
      const sending = await harness.open()
      const targets = Array.from({ length: topics }, () => harness.target())
      const deadline = harness.deadline(60_000)
      await Promise.all(targets.map((target, n) => harness.notify(sending, target, 'info', n, { deadline })))
      for (const n of [0, Math.floor(topics / 2), topics - 1]) {
        const { inbox } = await harness.subscribe(await harness.open(), targets[n]!, { onNotification: acknowledge })
        assert.deepEqual(payloads([await inbox.next(`notification of topic ${n}`)]), [n])
      }
      assert.notEqual(sending.health().status, 'failed', 'health after a thousand topics')
    },
  },
  {
    name: 'load - slow handlers hold up nobody else, and the connection lives on',
    level: 2,
    needs: ['rpc'],
    async run(harness) {
      const [server, client] = [await harness.open(), await harness.open()]
      const [slow, quick] = [harness.target({ server: 'slow' }), harness.target({ server: 'quick' })]
      const { inbox } = await harness.serve(server, slow, { prefetch: 2 })
      await harness.serve(server, quick, { onRequest: echo })
      const calls = [1, 2].map((n) => harness.call(client, slow, 'slow', { n }))
      const held = await inbox.take(2, 'requests that are held')
      const endAt = performance.now() + harness.scaled(2_000)
      for (let n = 0; performance.now() < endAt; n += 1) {
        const { result } = await harness.call(client, quick, 'quick', { n })
        assert.deepEqual(result, { n })
      }
      for (const request of held) echo(request)
      await harness.soon(Promise.all(calls), 'replies of the slow ones')
    },
  },
  {
    name: 'load - the largest notification arrives whole, and small ones around it',
    level: 2,
    needs: ['notifications'],
    async run(harness) {
      const [sending, listening] = [await harness.open(), await harness.open()]
      const target = harness.target()
      const { inbox } = await harness.subscribe(listening, target, { onNotification: acknowledge })
      const large = 'x'.repeat(loadOf(harness).bytes)
      await Promise.all(['before', large, 'after'].map((payload) => harness.notify(sending, target, 'info', payload)))
      const got = payloads(await inbox.take(3, 'notifications')).map((payload) => String(payload).length)
      assert.deepEqual(ascending(got), [5, 6, large.length], 'characters of the three')
    },
  },
  {
    name: 'load - what a driver accepted before it closed is there, and every send is told how it ended',
    level: 2,
    needs: ['notifications', 'storesBeforeListeners'],
    async run(harness) {
      const sending = await harness.open()
      const target = harness.target()
      await harness.notify(sending, target, 'info', 'first')
      const resolved: number[] = []
      const untold: string[] = []
      const sends = Array.from({ length: 500 }, (_, n) =>
        harness.notify(sending, target, 'info', n).then(
          () => void resolved.push(n),
          (error: unknown) => {
            if (!(error instanceof Error && 'delivery' in error && 'code' in error)) untold.push(String(error))
          },
        ),
      )
      await harness.soon(sending.close(), 'end of close under load')
      await harness.soon(Promise.all(sends), 'end of the sends that were under way')
      assert.deepEqual(untold, [], 'rejected without a code and a delivery')
      const { inbox } = await harness.subscribe(await harness.open(), target, { onNotification: acknowledge })
      const missing = (): readonly number[] => {
        const got = new Set(payloads(inbox.all))
        return resolved.filter((n) => !got.has(n))
      }
      await inbox.until(
        () => missing().length === 0,
        () => `all ${resolved.length} that resolved; missing: ${missing().slice(0, 20).join(', ')}`,
      )
    },
  },
  {
    name: 'load - hundreds of servers do not take a connection each',
    level: 2,
    needs: ['rpc', 'lever connections'],
    async run(harness) {
      const { servers } = loadOf(harness)
      const driver = await harness.open()
      await harness.serve(driver, harness.target({ server: 'a' }))
      const before = await harness.levers.connections!()
      for (let begun = 0; begun < servers; begun += 25)
        await Promise.all(
          Array.from({ length: Math.min(25, servers - begun) }, () =>
            harness.serve(driver, harness.target({ server: 'a' })),
          ),
        )
      const grewBy = (await harness.levers.connections!()) - before
      assert.ok(grewBy <= servers / 10, `${servers} servers took ${grewBy} connections more than one server`)
    },
  },
  {
    name: 'load - a server that stops under load leaves no call without its one answer',
    level: 2,
    needs: ['rpc'],
    async run(harness) {
      const { servers } = loadOf(harness)
      const topic = harness.unique()
      const seen: number[] = []
      const endpoint = {
        async work(_context: object, { n }: { readonly n: number }): Promise<number> {
          seen.push(n)
          // Long enough for some to be under way when their server stops.
          await harness.pause(50)
          return n
        },
      }
      const serve = async (server: string) => {
        const transport = await openRpcTransport(harness)
        return await start(harness, getRpcServer(transport, new Target({ topic, server }), [endpoint]))
      }
      const [leaving] = await Promise.all([serve('leaving'), serve('staying')])
      const client = getRpcClient(await openRpcTransport(harness), new Target({ topic }))
      const answers = Array.from({ length: servers }, (_, n) => client.call({}, 'work', { n }))
      const all = harness.inBackground(Promise.all(answers))
      await harness.eventually(() => assert.ok(seen.length > 0, 'a call is under way'))
      await leaving.stop()
      await leaving.wait({ timeoutMs: harness.patienceMs })
      assert.deepEqual(
        await harness.soon(all, 'an answer to each call'),
        answers.map((_, n) => n),
      )
      assert.equal(seen.length, servers, 'requests that ran, each once')
    },
  },
  {
    name: 'load - memory comes back: what is done is not kept',
    level: 2,
    needs: ['notifications'],
    async run(harness) {
      const [sending, listening] = [await harness.open(), await harness.open()]
      const target = harness.target()
      let handled = 0
      const listener = await listening.listenForNotifications([{ target, priority: 'info' }], {
        deadline: harness.deadline(),
        prefetch: 100,
        pool: null,
        allowRequeue: false,
        onMessage: (message) => {
          handled += 1
          message.acknowledge()
        },
      })
      harness.afterwards(() => listener.close())
      const heaps: number[] = []
      for (let round = 1; round <= ROUNDS; round += 1) {
        for (let n = 0; n < ROUND; n += 100)
          await Promise.all(
            Array.from({ length: 100 }, (_, index) =>
              sending.sendNotification(
                target.with({ topic: `${target.topic}.info` }),
                { context: {}, message: numbered(round * ROUND + n + index) },
                { version: '2.0', deadline: harness.deadline(), retries: null },
              ),
            ),
          )
        await harness.eventually(() => assert.equal(handled, round * ROUND, 'notifications that were handled'))
        heaps.push(collectedHeap())
      }
      // The first two rounds fill caches and pools.
      const grewBy = heaps.at(-1)! - heaps[1]!
      assert.ok(grewBy < KEPT_BYTES, `the heap grew by ${grewBy} bytes in ${ROUNDS - 2} rounds: ${heaps.join(', ')}`)
    },
  },
]

function numbered(n: number) {
  return {
    message_id: String(n),
    publisher_id: 'conformance',
    event_type: 'conformance.event',
    priority: 'INFO',
    payload: `${n} `.repeat(400),
    timestamp: '2026-01-02 03:04:05.000006',
  }
}

/** Bytes of the heap after everything unreachable is gone. */
function collectedHeap(): number {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  collect()
  return process.memoryUsage().heapUsed
}
