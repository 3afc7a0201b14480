import type { Target } from '../target.ts'
import type { MessageContext } from '../driver/messages.ts'

/** What crosses the in-process broker, one record per fact, in the order the facts happened. */
export type MemoryEvent =
  | {
      readonly type: 'call' | 'cast'
      readonly target: Target
      readonly context: MessageContext
      readonly message: Readonly<Record<string, unknown>>
    }
  | {
      readonly type: 'notify'
      readonly target: Target
      readonly context: MessageContext
      readonly message: Readonly<Record<string, unknown>>
      readonly version: '1.0' | '2.0'
    }
  | {
      readonly type: 'delivery'
      readonly kind: MessageKind
      readonly queue: string
      readonly message: Readonly<Record<string, unknown>>
      readonly redelivered: boolean
    }
  | {
      readonly type: 'reply'
      readonly outcome: 'result' | 'failure'
      readonly method: string
    }
  | {
      readonly type: 'settlement'
      readonly kind: MessageKind
      readonly queue: string
      readonly outcome: 'acknowledged' | 'requeued'
    }

/** What a message is to the in-process broker. */
export type MessageKind = 'request' | 'notification'

/** Where a driver tells what happens; `createRecorder` makes one. */
export interface MemoryRecorder {
  record(event: MemoryEvent): void
}

/** What is to go wrong with one publish. */
export interface PublishFault {
  /** The broker refuses the message with this error. */
  readonly refuse?: Error
  readonly delayMs?: number
}

/** What is to go wrong with one delivery or one reply. */
export interface DeliveryFault {
  readonly drop?: boolean
  readonly duplicate?: boolean
  readonly delayMs?: number
}

/** What a driver asks before it acts; undefined means: as always. `createFaults` makes one. */
export interface MemoryFaultPlan {
  /** Hands over the connection of a new driver, so that it can be cut; the returned function takes it back. */
  attach(connection: BreakableConnection): () => void
  onPublish(kind: MessageKind): PublishFault | undefined
  onDelivery(kind: MessageKind): DeliveryFault | undefined
  onReply(): DeliveryFault | undefined
}

/** The connection of one in-process driver, as far as faults can reach it. */
export interface BreakableConnection {
  /** Cuts it. Listeners go `recovering` and what they had not settled goes back to its queue; sends wait until their
   *  deadline.
   *  With `loseReplies`, calls that wait for their reply fail with ReplyPathLost; otherwise replies wait at the
   *  broker. */
  disconnect(options: { readonly loseReplies: boolean }): void
  /** Mends it: listeners consume again, waiting sends and replies go on. */
  reconnect(): void
  /** The broker takes no messages, for the reason given; null: it does again. */
  setBlocked(reason: string | null): void
  /** Ends every listener for good: `closed` rejects with the error. */
  failListeners(error: Error): void
}
