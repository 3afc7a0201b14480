/** What a broker keeps, in this process: replace it with your client library, which only this folder imports. */
export interface StoredMessage {
  readonly text: string
  redelivered: boolean
}

export interface Subscription {
  readonly queues: readonly Queue[]
  readonly prefetch: number
  readonly onMessage: (queue: Queue, message: StoredMessage) => void
  held: number
}

/** One line of messages that its subscriptions share. */
export class Queue {
  readonly #waiting: StoredMessage[] = []
  readonly #subscriptions: Subscription[] = []

  push(text: string): void {
    this.#waiting.push({ text, redelivered: false })
    this.dispatch()
  }

  giveBack(messages: readonly StoredMessage[]): void {
    for (const message of messages) message.redelivered = true
    this.#waiting.unshift(...messages)
    this.dispatch()
  }

  subscribe(subscription: Subscription): void {
    this.#subscriptions.push(subscription)
    this.dispatch()
  }

  unsubscribe(subscription: Subscription): void {
    const at = this.#subscriptions.indexOf(subscription)
    if (at !== -1) this.#subscriptions.splice(at, 1)
  }

  /** Not in this turn: whoever sends or settles is in the middle of its own work. */
  dispatch(): void {
    queueMicrotask(() => {
      for (;;) {
        const next = this.#subscriptions.find(({ held, prefetch }) => held < prefetch)
        const message = next && this.#waiting.shift()
        if (next === undefined || message === undefined) return
        this.#subscriptions.push(...this.#subscriptions.splice(this.#subscriptions.indexOf(next), 1))
        next.held += 1
        next.onMessage(this, message)
      }
    })
  }
}

const queues = new Map<string, Queue>()

export function queueOf(name: string): Queue {
  const queue = queues.get(name) ?? new Queue()
  queues.set(name, queue)
  return queue
}
