import { Deadline } from '@oslo-messaging/core/driver'

/** Collects what a listener is given and lets a case wait for it. */
export class Inbox<Message> {
  readonly #patienceMs: number
  readonly #all: Message[] = []
  #read = 0
  readonly #watchers = new Set<() => void>()
  /** Pass it as `onMessage`. */
  readonly onMessage: (message: Message) => void

  constructor(patienceMs: number, onEach?: (message: Message) => void) {
    this.#patienceMs = patienceMs
    this.onMessage = (message) => {
      this.#all.push(message)
      onEach?.(message)
      for (const watcher of this.#watchers) watcher()
    }
  }

  /** Everything that came, in the order it came. */
  get all(): readonly Message[] {
    return this.#all
  }

  /** The next message not taken by `next` or `take` yet. Rejects when none comes in time. */
  async next(what = 'message'): Promise<Message> {
    const [message] = await this.take(1, what)
    return message!
  }

  /** The next `count` messages. */
  async take(count: number, what = 'messages'): Promise<readonly Message[]> {
    const end = this.#read + count
    const begun = this.#all.length
    await this.until(
      (all) => all.length >= end,
      () =>
        `${count} ${what}: ${this.#all.length - this.#read} came, ${this.#all.length - begun} of them since it was waited for`,
    )
    const taken = this.#all.slice(this.#read, end)
    this.#read = end
    return taken
  }

  /** Resolves as soon as what came satisfies the condition. */
  async until(condition: (all: readonly Message[]) => boolean, what: string | (() => string)): Promise<void> {
    await untilTogether([this], () => condition(this.#all), what)
  }

  get patienceMs(): number {
    return this.#patienceMs
  }

  /** Calls `watcher` after each message; the returned function ends that. */
  watch(watcher: () => void): () => void {
    this.#watchers.add(watcher)
    return () => this.#watchers.delete(watcher)
  }
}

/** Resolves as soon as the condition holds, looked at now and after each message of any of the inboxes. Rejects when
 *  that takes too long. */
export async function untilTogether(
  inboxes: readonly Pick<Inbox<unknown>, 'watch' | 'patienceMs'>[],
  condition: () => boolean,
  what: string | (() => string),
): Promise<void> {
  let stop: readonly (() => void)[] = []
  const met = new Promise<void>((resolve) => {
    const look = (): void => {
      if (condition()) resolve()
    }
    stop = inboxes.map((inbox) => inbox.watch(look))
    look()
  })
  try {
    const patienceMs = Math.max(...inboxes.map((inbox) => inbox.patienceMs))
    await Deadline.after(patienceMs)
      .race(met, { phase: 'reply', delivery: 'unknown' })
      .catch(() => {
        throw new Error(`Expected within ${patienceMs} ms: ${typeof what === 'string' ? what : what()}`)
      })
  } finally {
    for (const end of stop) end()
  }
}
