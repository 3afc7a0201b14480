/// <reference lib="esnext.disposable" />
import { writeFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { type Broker, skipOrFail, startBroker } from '@oslo-messaging/brokers'
import { type ConfigOverrides, getMessaging, type Messaging } from '@oslo-messaging/core'
import { afterAll, describe, expect, it } from 'vitest'

import { Inbox } from './support/inbox.ts'
import { unique } from './support/ours.ts'
import { type Ending, pageOf, type RecordedRun, Recording } from './support/recorded-run.ts'
import { startService } from './support/service-process.ts'

const PAGE = fileURLToPath(new URL('../../docs/failures.md', import.meta.url))
const COMMAND = 'FAILURE_PAGE=1 npx vitest run --project faults interop/test/failures.fault-test.ts'
const PATIENCE_MS = 60_000
/** How long a broker is away before it is started again, which takes seconds more. */
const OUTAGE_MS = 1000

const [rabbit, artemis, kafka] = [
  await skipOrFail(startBroker('rabbit')),
  await skipOrFail(startBroker('artemis')),
  await skipOrFail(startBroker('kafka')),
]
const runs: RecordedRun[] = []
let expectedRuns = 0

afterAll(() => {
  if (process.env['FAILURE_PAGE'] !== '1') return
  // A page with some of the runs would look as if the rest could not happen.
  if (runs.length < expectedRuns) throw new Error(`${runs.length} of ${expectedRuns} runs: the page is left as it is`)
  const versions = [rabbit, artemis, kafka].map((broker) => `${broker?.name} ${broker?.version}`).join(', ')
  writeFileSync(PAGE, pageOf(runs, `${versions}, Node ${process.versions.node}`, COMMAND))
})

interface Experiment {
  /** What happens, as the page says it. */
  readonly event: string
  /** Expects, and resolves with what the page says of it. */
  readonly run: (broker: Broker) => Promise<Omit<RecordedRun, 'event' | 'driver'>>
}

/** A test whose run is on the page. */
function recorded(title: string, driver: string, broker: Broker | undefined, { event, run }: Experiment): void {
  expectedRuns += 1
  it.runIf(broker)(title, async () => {
    if (broker !== undefined) runs.push({ event, driver, ...(await run(broker)) })
  })
}

async function kill(broker: Broker, recording: Recording): Promise<void> {
  await broker.kill()
  recording.note('the broker is dead')
}

async function startAgain(broker: Broker, recording: Recording): Promise<void> {
  await sleep(OUTAGE_MS)
  await broker.start()
  recording.note('the broker answers again')
}

interface Scene extends AsyncDisposable {
  readonly recording: Recording
  /** The names of methods that have begun. */
  readonly ran: Inbox<string>
  /** Lets `work` return. */
  readonly release: () => void
  readonly call: (method: 'ping' | 'work', timeoutMs: number) => Promise<unknown>
}

/** A caller and a server with connections of their own, over which one call has been answered. */
async function callerAndServer(url: string): Promise<Scene> {
  const topic = unique('scene')
  const caller = await getMessaging({ url, notifications: false })
  const server = await getMessaging({ url, notifications: false })
  const ran = new Inbox<string>()
  let release = (): void => {}
  const released = new Promise<void>((resolve) => (release = resolve))
  server.server(
    { topic, server: 's' },
    {
      ping() {
        ran.add('ping')
        return 'pong'
      },
      async work() {
        ran.add('work')
        recording.note('the method begins')
        await released
        recording.note('the method returns')
        return 'done'
      },
    },
  )
  await server.start()
  const client = caller.client({ topic })
  const call = async (method: string, timeoutMs: number): Promise<unknown> =>
    await client.call({}, method, {}, { timeoutMs })
  await call('ping', PATIENCE_MS)
  const recording = new Recording()
  const close = async (): Promise<void> => {
    recording[Symbol.dispose]()
    release()
    await drained(caller, server)
  }
  return { recording, ran, release, call, [Symbol.asyncDispose]: close }
}

async function drained(...all: readonly Messaging[]): Promise<void> {
  await Promise.all(all.map(async (messaging) => await messaging.drain({ timeoutMs: 2000 })))
}

interface KilledServer extends AsyncDisposable {
  readonly recording: Recording
  readonly called: Promise<Ending>
}

/** A call whose server, a process, was killed after its method had begun. Another server has come before that, where
 *  the one that dies acknowledges late. */
async function callToKilledServer(url: string, overrides: ConfigOverrides, timeoutMs: number): Promise<KilledServer> {
  const topic = unique('scene')
  const caller = await getMessaging({ url, notifications: false })
  const other = await getMessaging({ url, notifications: false })
  const dispose = async (): Promise<void> => await drained(caller, other)
  try {
    const options = { url, topic, kind: 'rpc', overrides, timeoutMs: 0, handlerMs: 10 * PATIENCE_MS } as const
    await using service = await startService(options)
    const recording = new Recording()
    const called = recording.watch(
      'the call',
      async () => await caller.client({ topic }).call({}, 'work', { id: 1 }, { timeoutMs }),
    )
    await service.begun.atLeast(1, undefined, PATIENCE_MS)
    recording.note('the method begins')
    if (overrides['oslo_messaging_nodejs'] !== undefined) {
      other.server({ topic, server: 'other' }, { work: () => 'from the other server' })
      await other.start()
    }
    await service.kill()
    recording.note('the process of the server is killed, its method unfinished')
    return {
      recording,
      called,
      async [Symbol.asyncDispose]() {
        recording[Symbol.dispose]()
        await dispose()
      },
    }
  } catch (error) {
    await dispose()
    throw error
  }
}

describe.each([
  ['rabbit', rabbit],
  ['amqp', artemis],
] as const)('calls over %s', (driver, given) => {
  recorded('a call that begins while the broker is away is answered when it is back, and runs once', driver, given, {
    event: 'A call begins while the broker is away, and the broker comes back',
    async run(broker) {
      await using scene = await callerAndServer(broker.url)
      const { recording, ran, call } = scene
      await kill(broker, recording)
      const called = recording.watch('the call', async () => await call('ping', PATIENCE_MS))
      await startAgain(broker, recording)
      const ending = await called
      expect(ending.outcome).toBe('resolves with "pong"')
      expect(ran.items).toEqual(['ping', 'ping'])
      return {
        ending,
        moments: recording.moments,
        meaning: 'Nothing to do: an outage within the time limit is a delay',
      }
    },
  })

  recorded('a call whose time ends while the broker is away never runs', driver, given, {
    event: 'A call begins while the broker is away, and its time ends first',
    async run(broker) {
      await using scene = await callerAndServer(broker.url)
      const { recording, ran, call } = scene
      await kill(broker, recording)
      const ending = await recording.watch('the call', async () => await call('work', 2000))
      await startAgain(broker, recording)
      expect(ending.outcome).toMatch(/^rejects: MessagingTimeout, phase `\w+`, delivery `not-sent`$/)
      // What was sent after it is answered, so that it would have run by now.
      expect(await call('ping', PATIENCE_MS)).toBe('pong')
      expect(ran.items).toEqual(['ping', 'ping'])
      return { ending, moments: recording.moments, meaning: 'Call again: it never ran, and will not' }
    },
  })

  recorded('a call whose method runs when the broker dies says that it may have run, and runs once', driver, given, {
    event: 'The broker dies while the method runs, and comes back before the method ends',
    async run(broker) {
      await using scene = await callerAndServer(broker.url)
      const { recording, ran, release, call } = scene
      const called = recording.watch('the call', async () => await call('work', PATIENCE_MS))
      await ran.atLeast(2, undefined, PATIENCE_MS)
      await kill(broker, recording)
      await startAgain(broker, recording)
      const ending = await called
      release()
      expect(ending.outcome).toMatch(/^rejects: ReplyPathLost, phase `reply`, delivery `(confirmed|unknown)`$/)
      expect(await call('ping', PATIENCE_MS)).toBe('pong')
      expect(ran.items).toEqual(['ping', 'work', 'ping'])
      const meaning = 'The method goes on, and its reply is lost. Call again only if it may run twice'
      return { ending, moments: recording.moments, meaning }
    },
  })

  recorded('a call whose server is killed while its method runs ends with its time', driver, given, {
    event: 'The only server is killed while its method runs',
    async run({ url }) {
      await using scene = await callToKilledServer(url, {}, 5000)
      const ending = await scene.called
      expect(ending.outcome).toBe('rejects: MessagingTimeout, phase `reply`, delivery `confirmed`')
      const meaning = 'The method may have run in part. Call again only if it may run twice'
      return { ending, moments: scene.recording.moments, meaning }
    },
  })
})

// Over AMQP 1.0 a request is acknowledged before its method runs, always.
recorded('a call whose server is killed while its method runs is handled by another one', 'rabbit', rabbit, {
  event: 'One of two servers, with `rpc_acknowledge = after`, is killed while its method runs',
  async run({ url }) {
    const overrides = { oslo_messaging_nodejs: { rpc_acknowledge: 'after' } }
    await using scene = await callToKilledServer(url, overrides, PATIENCE_MS)
    const ending = await scene.called
    expect(ending.outcome).toBe('resolves with "from the other server"')
    return {
      ending,
      moments: scene.recording.moments,
      meaning: 'Nothing to do: the other server runs it, from its beginning',
    }
  },
})

describe.each([
  ['rabbit', rabbit],
  ['amqp', artemis],
  ['kafka', kafka],
] as const)('notifications over %s', (driver, given) => {
  recorded('a notification that begins while the broker is away is heard once when it is back', driver, given, {
    event: 'A notification begins while the broker is away, and the broker comes back',
    async run(broker) {
      const topic = unique('scene')
      await using messaging = await getMessaging({ url: broker.url, rpc: false })
      const heard = new Inbox<unknown>()
      messaging.listener([{ topic }], [{ info: (_context, _publisher, _event, payload) => heard.add(payload) }])
      await messaging.start()
      const notifier = messaging.notifier({ driver: 'messagingv2', topics: [topic] })
      const notify = async (payload: number): Promise<void> =>
        await notifier.info({}, 'e', payload, { timeoutMs: PATIENCE_MS })
      await notify(0)
      await heard.atLeast(1, undefined, PATIENCE_MS)
      using recording = new Recording()
      await kill(broker, recording)
      const sent = recording.watch('the notification', async () => await notify(1))
      await startAgain(broker, recording)
      const ending = await sent
      expect(ending.outcome).toBe('resolves')
      await heard.atLeast(2, undefined, PATIENCE_MS)
      recording.note('it is heard')
      // A copy of it would be heard before what is sent after it.
      await notify(2)
      await heard.atLeast(1, (payload) => payload === 2, PATIENCE_MS)
      expect(heard.items.filter((payload) => payload === 1)).toEqual([1])
      return { ending, moments: recording.moments, meaning: 'Nothing to do: it is stored, and heard once' }
    },
  })
})
