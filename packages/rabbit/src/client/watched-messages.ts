import type { Message } from 'amqplib'

/** Messages that an agent for tracing has marked: its span of such a message ends when amqplib is given that very
 *  object to settle.
 *  Nothing is kept where there is no agent. */
export class WatchedMessages {
  /** By delivery tag, which counts up. */
  readonly #messages = new Map<number, Message>()

  note(message: Message): void {
    // Agents keep what belongs to a message under symbols, so that nobody else meets it.
    if (Object.getOwnPropertySymbols(message).length > 0) this.#messages.set(message.fields.deliveryTag, message)
  }

  /** The message of that tag, if it was marked; it is forgotten, with `upTo` together with those before it. */
  take(deliveryTag: number, upTo: boolean): Message | undefined {
    if (this.#messages.size === 0) return undefined
    const message = this.#messages.get(deliveryTag)
    this.#messages.delete(deliveryTag)
    if (upTo)
      for (const tag of this.#messages.keys()) {
        if (tag > deliveryTag) break
        this.#messages.delete(tag)
      }
    return message
  }
}
