import { randomUUID } from 'node:crypto'
import type { DriverContext } from '@oslo-messaging/core/driver'
import { type Entry, type Link, streamOf } from '../client/link.ts'
import type { RedisOptions } from '../config.ts'
import { channelOf, type Names } from '../topology/names.ts'

const MOST_AT_ONCE = 500

/** The stream that replies to this client come by. It lives as long as the client looks after it, so a reply that is
 *  written while the connection is mended arrives, and a server knows when there is nobody any more. */
export class Replies {
  readonly key: string
  readonly #context: DriverContext<RedisOptions>
  readonly #onReply: (entry: Entry) => void
  /** The stream was gone when the connection came back. */
  readonly #onLost: () => void
  readonly #made = new WeakMap<Link, Promise<void>>()
  #link: Link | undefined
  #lastId = '0-0'
  #isWanted = false
  #isReading = false
  #isCalled = false
  #timer: unknown

  constructor(names: Names, context: DriverContext<RedisOptions>, onReply: (entry: Entry) => void, onLost: () => void) {
    this.key = names.replies(randomUUID())
    this.#context = context
    this.#onReply = onReply
    this.#onLost = onLost
  }

  /** On each new link. Nothing is made until somebody calls. */
  async onOpened(link: Link): Promise<void> {
    if (this.#isWanted) await this.want(link)
  }

  /** Makes the stream, or takes it up again; once a link. */
  want(link: Link): Promise<void> {
    this.#isWanted = true
    const before = this.#made.get(link)
    if (before !== undefined) return before
    const made = this.#make(link)
    this.#made.set(link, made)
    return made
  }

  async close(): Promise<void> {
    this.#context.clock.clearTimeout(this.#timer)
    const link = this.#link
    this.#link = undefined
    // The server removes it by itself when its time is up.
    if (link?.isOpen) await link.ask('DEL', this.key).catch(() => undefined)
  }

  async #make(link: Link): Promise<void> {
    await link.hear(channelOf(link.database, this.key), () => void this.#read(link))
    if ((await link.ask('EXISTS', this.key)) === 0) {
      if (this.#lastId !== '0-0') this.#onLost()
      this.#lastId = String(await link.ask('XADD', this.key, '*', 'opened', '1'))
    }
    this.#link = link
    this.#context.clock.clearTimeout(this.#timer)
    await this.#keep(link)
    await this.#read(link)
  }

  async #keep(link: Link): Promise<void> {
    const expiresMs = Math.ceil(this.#context.options.reply_expires * 1000)
    await link.ask('PEXPIRE', this.key, expiresMs)
    this.#timer = this.#context.clock.setTimeout(() => {
      // A lost connection is made again, and then the stream is looked after again.
      if (link === this.#link && link.isOpen) this.#keep(link).catch(() => undefined)
    }, expiresMs / 3)
  }

  async #read(link: Link): Promise<void> {
    this.#isCalled = true
    if (this.#isReading) return
    this.#isReading = true
    try {
      while (this.#isCalled) {
        this.#isCalled = false
        const entries = streamOf(await link.ask('XREAD', 'COUNT', MOST_AT_ONCE, 'STREAMS', this.key, this.#lastId))
        for (const entry of entries) {
          this.#lastId = entry.id
          this.#onReply(entry)
        }
        if (entries.length === MOST_AT_ONCE) this.#isCalled = true
        if (entries.length > 0) link.ask('XTRIM', this.key, 'MINID', this.#lastId).catch(() => undefined)
      }
    } catch {
      // The connection is gone, and the next one reads on from here.
    } finally {
      this.#isReading = false
    }
  }
}
