import {
  type FailureFacts,
  type IncomingNotification,
  type MessageContext,
  SerializationError,
} from '@oslo-messaging/core/driver'
import type { FetchedRecord } from '../port/client-port.ts'
import type { PartitionFlow, Unsettled } from '../positions/partition-flow.ts'
import { decodeRecord } from '../wire/record.ts'
import type { DeadLetters } from './dead-letters.ts'

export interface HandOutHooks {
  readonly deadLetters: DeadLetters
  /** A record's place is free again. `hasAdvanced`: everything of the partition before its `settledUpTo` is done. */
  readonly onEnd: (flow: PartitionFlow, hasAdvanced: boolean) => void
}

const NOTHING: MessageContext = Object.freeze({})

/** A record that is with its handler. A class, because an object with functions of its own for each record took a third
 *  of the time of reading. */
export class HandedOut implements IncomingNotification {
  readonly context: MessageContext
  readonly message: Readonly<Record<string, unknown>>
  readonly orderingKey: string
  declare readonly unreadable?: { readonly error: unknown }
  declare readonly priority?: string
  declare readonly headers?: Readonly<Record<string, string>>
  declare signal?: AbortSignal
  declare redelivered?: boolean
  readonly #flow: PartitionFlow
  readonly #record: FetchedRecord
  readonly #hooks: HandOutHooks
  #unsettled: Unsettled | undefined
  #isOpen = true

  /** Decodes the record; what cannot be read is for the policy of the listener. */
  constructor(flow: PartitionFlow, record: FetchedRecord, priority: string | undefined, hooks: HandOutHooks) {
    this.#flow = flow
    this.#record = record
    this.#hooks = hooks
    this.orderingKey = flow.key
    flow.handOut()
    try {
      const { context, message } = decodeRecord(record.value)
      this.context = context
      this.message = message
    } catch (cause) {
      this.context = NOTHING
      this.message = NOTHING
      const reason = cause instanceof Error ? cause.message : String(cause)
      const text = `The record at ${flow.key}@${record.offset} cannot be read: ${reason}`
      this.unreadable = { error: new SerializationError(text, { cause }) }
    }
    if (priority !== undefined) this.priority = priority
    if (record.headers !== undefined) this.headers = record.headers
  }

  /** Positions follow the handlers, so that it matters when this one is done. */
  track(redelivered: boolean): void {
    this.#unsettled = this.#flow.follow(this.#record.offset)
    this.signal = this.#flow.signal
    this.redelivered = redelivered
  }

  /** It is done: its place is free, and the position may pass it. */
  acknowledge(): void {
    this.#end(true)
  }

  requeue(): void {
    this.#end(true)
  }

  /** Nobody here finishes it: its place is free, and the position stays before it. */
  leave(): void {
    this.#end(false)
  }

  async bury(failure: FailureFacts): Promise<void> {
    await this.#hooks.deadLetters.bury(this.#flow, this.#record, failure)
    this.#end(true)
  }

  #end(isDone: boolean): void {
    if (!this.#isOpen) return
    this.#isOpen = false
    this.#hooks.onEnd(this.#flow, this.#flow.endOf(this.#unsettled, isDone))
  }
}
