import { randomUUID } from 'node:crypto'
import type { DriverContext } from '@oslo-messaging/core/driver'
import { entriesOf, type Entry, type Link, streamOf } from '../client/link.ts'
import { FORGET, GIVE_BACK, READ } from '../client/scripts.ts'
import type { RedisOptions } from '../config.ts'
import { wordOf } from '../connection/map-error.ts'
import { HANDED_BACK } from '../topology/names.ts'

const MOST_AT_ONCE = 100
/** Idle time that lets anybody claim a message at once. */
const LONG_IDLE_MS = 86_400_000
/** A consumer that has not looked for so many times the claiming time is dead. */
const DEAD_FACTOR = 5

/** Milliseconds of silence after which a consumer is dead. */
export function deadAfterMs({ claim_after }: Pick<RedisOptions, 'claim_after'>): number {
  return claim_after * DEAD_FACTOR * 1000
}

/** One stream and the group it is read in. */
export interface IntakeStream {
  readonly key: string
  readonly group: string
  /** Where a new group begins: at what is kept, or at what comes next. */
  readonly start: '0' | '$'
  /** The group is this intake's alone and goes with it. */
  readonly isOwn: boolean
  /** Milliseconds after which the stream goes when nobody reads it; null: never. */
  readonly expiresInMs: number | null
  /** Milliseconds that a message is kept at most; null: no limit. */
  readonly maxAgeMs: number | null
}

/** A message that came and is not settled. */
export interface Taken {
  readonly stream: IntakeStream
  readonly entry: Entry
  readonly redelivered: boolean
}

/** What an intake tells its owner. */
export interface IntakePorts {
  /** A message came. Must not throw. */
  readonly onTaken: (taken: Taken) => void
  /** Something is wrong with a stream while the connection stands: everything is to be made again. */
  readonly onGone: (error: unknown) => void
  /** Now and then, while connected. */
  readonly onTick?: (link: Link) => void
}

interface Reading {
  readonly stream: IntakeStream
  /** There may be new ones, and some that others have left. */
  hasNew: boolean
  hasLeft: boolean
  /** Where the search for those goes on. */
  cursor: string
}

/** Reads some streams by consumer groups, never more than there is room for, and settles what came. It looks when it is
 *  called over the stream's channel, and now and then by itself. */
export class Intake {
  readonly #consumer: string
  /** Where this intake is called when a message came, and it is its turn. */
  readonly #channel: string
  readonly #most: number
  readonly #context: DriverContext<RedisOptions>
  readonly #ports: IntakePorts
  readonly #readings: Reading[]
  readonly #held = new Map<string, Taken>()
  /** Settled while there was no connection. */
  #untold: { readonly taken: Taken; readonly isDone: boolean }[] = []
  #link: Link | undefined
  #running: Promise<void> | undefined
  #taken = new AbortController()
  #isStopped = false
  #tick: unknown
  #lastForgottenAt = -Infinity

  constructor(
    streams: readonly IntakeStream[],
    most: number,
    context: DriverContext<RedisOptions>,
    ports: IntakePorts,
  ) {
    this.#consumer = `${context.program}-${randomUUID()}`
    this.#channel = `${context.options.key_prefix}:ring:${this.#consumer}`
    this.#most = most
    this.#context = context
    this.#ports = ports
    this.#readings = streams.map((stream) => ({ stream, hasNew: false, hasLeft: false, cursor: '0-0' }))
  }

  /** Makes groups and begins to read; again after each loss. Rejects with the server's error. */
  async open(link: Link): Promise<void> {
    await link.hear(this.#channel, (text) => this.#wake(text))
    for (const { stream } of this.#readings) {
      const { key, group, start } = stream
      try {
        await link.ask('XGROUP', 'CREATE', key, group, start, 'MKSTREAM')
      } catch (error) {
        if (wordOf(error) !== 'BUSYGROUP') throw error
      }
      await link.ask('XGROUP', 'CREATECONSUMER', key, group, this.#consumer)
    }
    if (this.#isStopped) return
    this.#link = link
    this.#tell()
    // What came while a connection broke was given to this consumer and never seen.
    for (const { stream } of this.#readings) {
      const { group, key } = stream
      const own = await link.ask('XREADGROUP', 'GROUP', group, this.#consumer, 'COUNT', this.#most, 'STREAMS', key, '0')
      for (const entry of streamOf(own)) this.#take(stream, entry, true)
    }
    this.#onTick()
  }

  /** Aborts when the connection is lost that messages came by. */
  get signal(): AbortSignal {
    return this.#taken.signal
  }

  /** The link is gone: what came by it is handed back over the next one. */
  lost(reason: unknown): void {
    this.#detach()
    for (const taken of this.#held.values()) this.settle(taken, false)
    this.#taken.abort(reason)
    this.#taken = new AbortController()
  }

  #detach(): void {
    this.#link = undefined
    this.#context.clock.clearTimeout(this.#tick)
  }

  isHeld(taken: Taken): boolean {
    return this.#held.get(nameOf(taken)) === taken
  }

  /** Settles it, or hands it back to whoever comes first; false when it is settled already. */
  settle(taken: Taken, isDone: boolean): boolean {
    if (!this.isHeld(taken)) return false
    this.#held.delete(nameOf(taken))
    this.#untold.push({ taken, isDone })
    this.#tell()
    const reading = this.#readings.find(({ stream }) => stream === taken.stream)
    if (!isDone && reading !== undefined) reading.hasLeft = true
    // Not in this turn: whoever settles may be in the middle of its own work.
    queueMicrotask(() => this.#run())
    return true
  }

  /** How often the server has given it to somebody. */
  async deliveriesOf({ stream, entry }: Taken): Promise<number> {
    const answer = await this.#link?.ask('XPENDING', stream.key, stream.group, entry.id, entry.id, 1)
    const [facts] = Array.isArray(answer) ? (answer as readonly unknown[]) : []
    return Array.isArray(facts) ? Number(facts[3]) : 1
  }

  /** Ends the intake; what was on its way is handed back. */
  async stop(): Promise<void> {
    this.#isStopped = true
    await this.#running
  }

  /** Hands back what is not settled, and releases what the server keeps for this consumer. */
  async close(): Promise<void> {
    await this.stop()
    for (const taken of this.#held.values()) this.settle(taken, false)
    const link = this.#link
    this.#detach()
    if (link === undefined || !link.isOpen) return
    const last = this.#readings.map(({ stream: { key, group, isOwn } }) =>
      isOwn ? link.ask('XGROUP', 'DESTROY', key, group) : link.ask('XGROUP', 'DELCONSUMER', key, group, this.#consumer),
    )
    // A stream that is gone has nothing to release, and a lost connection is the server's to notice.
    await Promise.allSettled([...last, link.unhear(this.#channel)])
  }

  /** `new <stream>` or `back <stream>`. */
  #wake(text: string): void {
    const at = text.indexOf(' ')
    const [word, key] = [text.slice(0, at), text.slice(at + 1)]
    const reading = this.#readings.find(({ stream }) => stream.key === key)
    if (reading === undefined) return
    if (word === 'back') reading.hasLeft = true
    else reading.hasNew = true
    this.#run()
  }

  #run(): void {
    this.#running ??= this.#readAll().finally(() => {
      this.#running = undefined
    })
  }

  async #readAll(): Promise<void> {
    for (;;) {
      const link = this.#link
      const room = this.#most - this.#held.size
      const reading = this.#readings.find(({ hasNew, hasLeft }) => hasNew || hasLeft)
      if (link === undefined || !link.isOpen || this.#isStopped || room < 1 || reading === undefined) return
      // The next look begins with another stream, so that a busy one does not hide the others.
      this.#readings.push(...this.#readings.splice(this.#readings.indexOf(reading), 1))
      try {
        await this.#read(link, reading, Math.min(room, MOST_AT_ONCE))
      } catch (error) {
        if (link.isOpen && link === this.#link) this.#ports.onGone(error)
        return
      }
    }
  }

  async #read(link: Link, reading: Reading, count: number): Promise<void> {
    const { stream } = reading
    const { key, group } = stream
    if (reading.hasLeft) {
      const idleMs = Math.round(this.#context.options.claim_after * 1000)
      const from = reading.cursor
      const answer = await link.ask('XAUTOCLAIM', key, group, this.#consumer, idleMs, from, 'COUNT', count)
      const [next, entries] = answer as readonly [string, unknown]
      reading.cursor = next
      reading.hasLeft = next !== '0-0'
      // What was handed back behind the cursor is found by the next look for new ones.
      reading.hasNew = true
      for (const entry of entriesOf(entries)) this.#take(stream, entry, true)
      return
    }
    reading.hasNew = false
    const answer = await link.ask('EVAL', READ, 1, key, group, this.#consumer, count, HANDED_BACK, this.#channel)
    const [found, hasLeft] = answer as readonly unknown[]
    const entries = entriesOf(found)
    // Only who has found nothing stands in the line of those who are called.
    if (entries.length > 0) reading.hasNew = true
    if (hasLeft === 1) reading.hasLeft = true
    for (const entry of entries) this.#take(stream, entry, false)
  }

  #take(stream: IntakeStream, entry: Entry, redelivered: boolean): void {
    const taken = { stream, entry, redelivered }
    if (this.#held.has(nameOf(taken))) return
    this.#held.set(nameOf(taken), taken)
    if (this.#isStopped) this.settle(taken, false)
    else this.#ports.onTaken(taken)
  }

  /** Settles with the server; what a lost connection did not take is told to the next one, because the server knows a
   *  message by its number and not by the connection. */
  #tell(): void {
    const link = this.#link
    if (link === undefined || !link.isOpen) return
    const untold = this.#untold
    this.#untold = []
    for (const { taken, isDone } of untold) {
      const { key, group } = taken.stream
      const { id } = taken.entry
      const asked = isDone
        ? link.ask('XACK', key, group, id)
        : link.ask('EVAL', GIVE_BACK, 1, key, group, HANDED_BACK, id, LONG_IDLE_MS)
      asked.catch(() => (link.isOpen ? undefined : this.#untold.push({ taken, isDone })))
    }
  }

  /** Keeps what is held, looks for what nobody told of, and forgets what is over. */
  readonly #onTick = (): void => {
    const link = this.#link
    if (link === undefined || !link.isOpen) return
    const { clock, options } = this.#context
    const everyMs = Math.min(options.poll_interval, options.claim_after / 3) * 1000
    this.#tick = clock.setTimeout(this.#onTick, everyMs)
    const deadMs = deadAfterMs(options)
    const isTimeToForget = clock.now() - this.#lastForgottenAt >= Math.min(everyMs, 5000)
    if (isTimeToForget) this.#lastForgottenAt = clock.now()
    const asked: Promise<unknown>[] = []
    for (const reading of this.#readings) {
      const { key, group, expiresInMs, maxAgeMs, isOwn } = reading.stream
      const ids = [...this.#held.values()]
        .filter(({ stream }) => stream === reading.stream)
        .map(({ entry }) => entry.id)
      if (ids.length > 0) asked.push(link.ask('XCLAIM', key, group, this.#consumer, 0, ...ids, 'JUSTID'))
      if (expiresInMs !== null) asked.push(link.ask('PEXPIRE', key, Math.ceil(expiresInMs)))
      const oldest = maxAgeMs === null ? '' : `${Math.floor(link.serverTime - maxAgeMs)}-0`
      if (isTimeToForget) asked.push(link.ask('EVAL', FORGET, 1, key, oldest, deadMs, isOwn ? 1 : 0))
      reading.hasNew = true
      reading.hasLeft = true
    }
    this.#ports.onTick?.(link)
    for (const each of asked)
      each.catch((error: unknown) => {
        if (link.isOpen && link === this.#link && !this.#isStopped) this.#ports.onGone(error)
      })
    this.#run()
  }
}

function nameOf({ stream, entry }: Taken): string {
  return `${entry.id} ${stream.key}`
}
