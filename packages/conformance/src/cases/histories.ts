import assert from 'node:assert/strict'
import type { DeliveryState, Driver } from '@oslo-messaging/core/driver'
import type { ConformanceCase } from '../case.ts'
import { breakAtRandom, Random } from '../faults/index.ts'
import type { Harness } from '../harness.ts'
import { checkHistory, History, type HistoryPromises, readerPromises } from '../history/index.ts'

const DEFAULT_MS = 15_000
const SEND_MS = 3_000
const SENDERS = 4
const QUIET_MS = 1_500
/** One fault in three lasts; the others are over at once. */
const LASTS_MS = [100, 800] as const
const PAUSE_MS = [200, 1_200] as const
const SHOWN = 5

/** Numbered messages while the network breaks at random: what was promised holds for each of them. */
export const historyCases: readonly ConformanceCase[] = [
  {
    name: 'history - notifications under random faults: none that resolved is lost, none comes where it was not sent',
    level: 3,
    needs: ['notifications', 'storesBeforeListeners', 'lever cut'],
    async run(harness) {
      const [sending, listening] = [await harness.open(), await harness.open()]
      const target = harness.target()
      const record = new Record('notifications', SEND_MS)
      await harness.subscribe(listening, target, {
        onNotification: (notification) => {
          const n = Number(notification.message['payload'])
          record.handled(n, notification.redelivered)
          notification.acknowledge()
          record.settled(n)
        },
      })
      await underFaults(harness, record, (n) =>
        harness.notify(sending, target, 'info', n, { deadline: harness.deadline(SEND_MS) }).then(() => undefined),
      )
      await caughtUp(harness, record, sending)
      const promises = readerPromises(harness.capabilities, [record.place])
      // Senders run side by side, so there is no order between them to keep.
      record.check({ ...promises, ordered: false }, harness.graceMs)
    },
  },
  {
    name: 'history - calls under random faults: each ends in time, with its own reply or with an error',
    level: 3,
    needs: ['rpc', 'lever cut'],
    async run(harness) {
      const [serving, calling] = [await harness.open(), await harness.open()]
      const target = harness.target({ server: 'a' })
      const record = new Record('calls', SEND_MS)
      await harness.serve(serving, target, {
        onRequest: (request) => {
          const { n } = request.message['args'] as { n: number }
          record.handled(n, request.redelivered)
          request.acknowledge()
          void request.reply({ result: { n }, failure: null })
        },
      })
      await underFaults(harness, record, async (n) => {
        const options = { deadline: harness.deadline(SEND_MS) }
        const { result } = await harness.call(calling, target, 'm', { n }, options)
        record.replied(n, (result as { n: number }).n)
      })
      await caughtUp(harness, record, calling)
      record.check(
        { places: [record.place], delivery: 'best-effort', repeats: record.repeats, ordered: false, settles: false },
        harness.graceMs,
      )
    },
  },
]

/** A history as it is written. */
class Record {
  readonly history = new History()
  readonly place: string
  readonly #startedAt = performance.now()
  readonly #sendMs: number
  #numbers = 0
  #handledAt = 0
  readonly #resolved = new Set<number>()
  #marks = false
  readonly #seen = new Set<number>()

  constructor(place: string, sendMs: number) {
    this.place = place
    this.#sendMs = sendMs
  }

  get #at(): number {
    return performance.now() - this.#startedAt
  }

  get quietMs(): number {
    return this.#at - this.#handledAt
  }

  /** Whether repetitions can be told from copies: not every broker says which is which. */
  get repeats(): 'marked' | 'allowed' {
    return this.#marks ? 'marked' : 'allowed'
  }

  /** Resolved, and nobody handled it yet. */
  get owed(): number {
    return [...this.#resolved].filter((n) => !this.#seen.has(n)).length
  }

  /** Sends one message with the next number and writes how that went. */
  async send(harness: Harness, send: (n: number) => Promise<void>): Promise<void> {
    const message = this.#numbers
    this.#numbers += 1
    this.history.record({
      kind: 'sent',
      at: this.#at,
      message,
      place: this.place,
      dueAt: this.#at + harness.scaled(this.#sendMs),
    })
    try {
      await send(message)
      this.#resolved.add(message)
      this.history.record({ kind: 'resolved', at: this.#at, message })
    } catch (error) {
      const { delivery } = error as { readonly delivery?: DeliveryState }
      this.history.record({ kind: 'rejected', at: this.#at, message, delivery: delivery ?? 'unknown' })
    }
  }

  handled(message: number, redelivered: boolean | undefined): void {
    // A driver that says nothing of what comes for the first time may say nothing of a repetition, too.
    this.#marks ||= redelivered === false
    this.#handledAt = this.#at
    this.#seen.add(message)
    this.history.record({
      kind: 'handled',
      at: this.#at,
      message,
      reader: 'reader',
      member: 'one',
      redelivered: redelivered === true,
    })
  }

  settled(message: number): void {
    this.history.record({ kind: 'settled', at: this.#at, message, reader: 'reader' })
  }

  replied(message: number, answer: number): void {
    this.history.record({ kind: 'replied', at: this.#at, message, answer })
  }

  check(reader: HistoryPromises['readers'][string], graceMs: number): void {
    const verdict = checkHistory(this.history, {
      readOutside: [],
      storedForReaders: false,
      storedOnce: false,
      storedInOrder: false,
      triesUntilDeadline: false,
      graceMs,
      readers: { reader },
    })
    const shown = verdict.violations
      .slice(0, SHOWN)
      .map(
        ({ invariant, message, says, events }) => `${invariant}: message ${message} ${says} ${JSON.stringify(events)}`,
      )
    assert.ok(
      verdict.passed,
      `${JSON.stringify(verdict.counts)} of ${verdict.totals.sent} messages\n${shown.join('\n')}`,
    )
    assert.ok(verdict.totals.resolved > 0, 'not one send resolved under faults')
  }
}

/** Sends from several sides while faults come and go. */
async function underFaults(harness: Harness, record: Record, send: (n: number) => Promise<void>): Promise<void> {
  const stop = new AbortController()
  const seed = harness.knobs.seed ?? 'conformance'
  const endAt = performance.now() + harness.scaled(harness.knobs.load?.historyMs ?? DEFAULT_MS)
  const faults = harness.inBackground(breakIt(harness, seed, stop.signal))
  const sender = async (): Promise<void> => {
    while (performance.now() < endAt) {
      await record.send(harness, send)
      await harness.pause(1)
    }
  }
  await Promise.all(Array.from({ length: SENDERS }, sender))
  stop.abort()
  await faults
}

/** Through the proxies where there are some; else the levers take turns. */
async function breakIt(harness: Harness, seed: string, signal: AbortSignal): Promise<void> {
  const { proxies, cut, outage, block } = harness.levers
  if (proxies !== undefined) {
    const onFault = ({ kind, towards }: { kind: string; towards: string }): void =>
      harness.note(`fault: ${kind} ${towards}`)
    await breakAtRandom(proxies(), { seed, pauseMs: PAUSE_MS, lastsMs: LASTS_MS, signal, onFault })
    return
  }
  const random = new Random(seed)
  while (!signal.aborted) {
    await harness.pause(harness.scaled(random.between(...PAUSE_MS)))
    const name = random.pick(['cut', 'outage', 'block'] as const)
    const lasting = { cut: undefined, outage, block }[name]
    if (lasting === undefined) {
      harness.note('fault: cut')
      await cut?.()
      continue
    }
    harness.note(`fault: ${name}`)
    const end = await lasting()
    await harness.pause(harness.scaled(random.between(...LASTS_MS)))
    await end()
  }
}

/** Waits until whatever resolved was handled, or for so long that it will not be; and until nothing more comes. */
async function caughtUp(harness: Harness, record: Record, sender: Driver): Promise<void> {
  await harness.healthy(sender, (status) => status === 'ok', 'health is ok after the faults')
  const endAt = performance.now() + 3 * harness.patienceMs
  while (performance.now() < endAt && (record.owed > 0 || record.quietMs < harness.scaled(QUIET_MS)))
    await harness.pause(20)
}
