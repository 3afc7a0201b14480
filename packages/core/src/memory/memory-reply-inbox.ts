import { emitDiagnostic } from '../diagnostics/channels.ts'
import type { ReplyWaiters } from '../driver/reply-waiters.ts'
import { decodeJson } from '../wire/json.ts'
import type { ReplyAddress } from './memory-queue.ts'

/** Where the replies to one driver's calls arrive. While its connection is down they are held, as a broker holds them
 *  in a reply queue. */
export class MemoryReplyInbox implements ReplyAddress {
  readonly name: string
  readonly #waiters: ReplyWaiters
  #held: (() => void)[] | undefined

  constructor(name: string, waiters: ReplyWaiters) {
    this.name = name
    this.#waiters = waiters
  }

  receive(id: string, resultText: string | null, failure: string | null): void {
    if (this.#held === undefined) this.#settle(id, resultText, failure)
    else this.#held.push(() => this.#settle(id, resultText, failure))
  }

  heartbeat(id: string): boolean {
    return this.#waiters.heartbeat(id)
  }

  suspend(): void {
    this.#held ??= []
  }

  resume(): void {
    const held = this.#held ?? []
    this.#held = undefined
    for (const deliver of held) deliver()
  }

  #settle(id: string, resultText: string | null, failure: string | null): void {
    const isAwaited =
      failure === null
        ? this.#waiters.settle(id, { result: decodeJson(resultText ?? 'null'), failure: null })
        : this.#waiters.settle(id, { result: null, failure })
    if (isAwaited) return
    emitDiagnostic('oslo-messaging:message-dropped', () => ({
      driver: 'memory',
      source: `replies of ${this.name}`,
      reason: 'late-reply',
      uniqueId: id,
    }))
  }
}
