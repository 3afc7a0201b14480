// A process whose memory and end are measured from outside: built packages, no test runner, one line of JSON for each
// fact. Arguments: job, transport URL, and the job's own as JSON.
import {
  createDriverRegistry,
  getNotificationListener,
  getNotificationTransport,
  getRpcClient,
  getRpcServer,
  getRpcTransport,
  loadConfig,
  Target,
} from '@oslo-messaging/core'
import { rabbitDriver } from '@oslo-messaging/rabbit'

const [job = '', url = '', text = '{}'] = process.argv.slice(2)
const given = JSON.parse(text)
const registry = createDriverRegistry({ drivers: [rabbitDriver], discover: false })
const conf = await loadConfig({ overrides: { oslo_messaging_rabbit: given.options ?? {} } })
const tell = (fact) => process.stdout.write(`${JSON.stringify(fact)}\n`)

/** Bytes on the heap once everything unreachable is gone. */
async function heapBytes() {
  for (let round = 0; round < 3; round += 1) {
    await new Promise((resolve) => setTimeout(resolve, 100))
    globalThis.gc()
  }
  return process.memoryUsage().heapUsed
}

/** Bytes that something holds, on the heap and beside it: garbage that waits is the engine's own business, and more of
 *  it where the machine is busy. */
function heldBytes() {
  globalThis.gc()
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}

const jobs = {
  /** Casts and calls to a server in the same process, so many at once; the heap after a fifth and at the end. */
  async steady({ topic, casts, calls, concurrency }) {
    const transport = await getRpcTransport(conf, { url, registry })
    let handled = 0
    class Sink {
      sink() {
        handled += 1
      }
      echo(_context, { n }) {
        handled += 1
        return n
      }
    }
    const server = getRpcServer(transport, new Target({ topic, server: 'a' }), [new Sink()])
    await server.start()
    const client = getRpcClient(transport, new Target({ topic }), { timeoutMs: 60_000 })
    const heaps = []
    const total = casts + calls
    let done = 0
    const phase = async (share) => {
      const until = Math.round(total * share)
      const work = async () => {
        while (done < until) {
          const n = done++
          // One call for every ten casts.
          if (n % Math.round(total / calls) === 0) await client.call({}, 'echo', { n })
          else {
            await client.cast({}, 'sink', { n, text: 'x'.repeat(64) })
            // What is sent is handled at the same pace: the backlog is no part of the question.
            // oxlint-disable-next-line eslint/no-unmodified-loop-condition -- the server counts it
            while (n - handled > 20_000) await new Promise((resolve) => setTimeout(resolve, 10))
          }
        }
      }
      await Promise.all(Array.from({ length: concurrency }, work))
      const heap = await heapBytes()
      heaps.push(heap)
      tell({ share, heap, rss: process.memoryUsage().rss })
    }
    for (const share of [0.2, 0.4, 0.6, 0.8, 0.9, 1]) await phase(share)
    tell({ done: true, first: heaps[0], last: heaps.at(-1) })
    await server.stop()
    await server.wait()
    await transport.close()
  },

  /** Attempts casts as fast as the event loop allows, with `alarm` against a broker that takes none; how far memory
   *  grows. */
  async flood({ topic, attempts, timeoutMs, alarm }) {
    const transport = await getRpcTransport(conf, { url, registry })
    const client = getRpcClient(transport, new Target({ topic }), { timeoutMs })
    const payload = { text: 'x'.repeat(1024) }
    // What any busy process takes is no part of the question.
    for (let round = 0; round < 20; round += 1)
      await Promise.all(Array.from({ length: 1000 }, () => client.cast({}, 'sink', payload)))
    globalThis.gc()
    tell({ ready: true })
    await new Promise((resolve) => process.stdin.once('data', resolve))
    // The broker says that it is blocked to whoever publishes.
    // oxlint-disable-next-line eslint/no-unmodified-loop-condition -- the health is asked each time
    while (alarm && transport.health().status !== 'blocked')
      await client.cast({}, 'sink', payload, { timeoutMs: 100 }).catch(() => undefined)
    const before = heldBytes()
    let peak = before
    let mostOpen = 0
    let attempted = 0
    let settled = 0
    const outcomes = {}
    const note = (name) => {
      outcomes[name] = (outcomes[name] ?? 0) + 1
    }
    const sampler = setInterval(() => {
      mostOpen = Math.max(mostOpen, attempted - settled)
    }, 20)
    const attempt = (n) =>
      client
        .cast({}, 'sink', { text: `${n}`.padEnd(1024, 'x') }, { timeoutMs })
        .then(
          () => note('resolved'),
          (error) => note(error.code ?? error.name),
        )
        .finally(() => {
          settled += 1
        })
    // Nobody waits for anybody: what an application does that forgets to.
    while (attempted < attempts) {
      for (let n = 0; n < 1000; n += 1) void attempt(attempted++)
      if (attempted % 20_000 === 0) peak = Math.max(peak, heldBytes())
      await new Promise((resolve) => setImmediate(resolve))
    }
    // oxlint-disable-next-line eslint/no-unmodified-loop-condition -- attempt() counts it
    while (settled < attempts) await new Promise((resolve) => setTimeout(resolve, 10))
    clearInterval(sampler)
    const health = transport.health()
    tell({
      attempted,
      before,
      peak,
      mostOpen,
      outcomes,
      status: health.status,
      states: health.components.map(({ name, state }) => `${name}: ${state}`),
    })
    process.exit(0)
  },

  /** A server whose method never ends. */
  async hang({ topic }) {
    const transport = await getRpcTransport(conf, { url, registry })
    const hang = () => {
      tell({ begun: true })
      return new Promise(() => {})
    }
    await getRpcServer(transport, new Target({ topic, server: 'a' }), [{ hang }]).start()
    tell({ listening: true })
  },

  /** A service that ends on SIGTERM: stops intake, finishes, closes. */
  async drain({ topic, workers, handlerMs, drainMs, notifications }) {
    const transport = await (notifications ? getNotificationTransport : getRpcTransport)(conf, { url, registry })
    let started = 0
    let finished = 0
    const handle = async () => {
      started += 1
      if (started === workers) tell({ started })
      await new Promise((resolve) => setTimeout(resolve, handlerMs))
      finished += 1
      return 'done'
    }
    class Slow {
      slow() {
        return handle()
      }
      async info() {
        await handle()
      }
    }
    const server = notifications
      ? getNotificationListener(transport, [new Target({ topic })], [new Slow()], { workers })
      : getRpcServer(transport, new Target({ topic, server: 'a' }), [new Slow()], { workers })
    await server.start()
    tell({ listening: true })
    const drain = async () => {
      const startedAt = performance.now()
      await server.stop()
      const inTime = await server.wait({ timeoutMs: drainMs }).then(
        () => true,
        () => false,
      )
      await transport.close({ timeoutMs: 1000 })
      tell({ started, finished, inTime, tookMs: Math.round(performance.now() - startedAt) })
      // Nothing of the transport may keep the process; handlers that were abandoned would.
      if (!inTime) process.exit(0)
    }
    process.once('SIGTERM', () => void drain())
  },
}

await jobs[job](given)
