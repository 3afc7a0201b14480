/** What a store answers to a claim. */
export type ClaimState =
  /** The message is the owner's to handle, until its lease is over. */
  | 'claimed'
  /** Another owner has it, and its lease is not over. */
  | 'held'
  /** It was handled. */
  | 'done'

/** Where processes tell each other which messages they handle and which they have handled. Yours is a table or a
 *  key-value store that all of them reach; `MemoryIdempotencyStore` is for one process and for tests.
 *  Each method is one atomic step of the store. A rejection says that the store cannot be reached: the message is then
 *  tried again later. `owner` names one delivery at one process; nobody else has that name. */
export interface IdempotencyStore {
  /** Takes the message for `owner` unless another holds it or it is done. An owner that has it already gets its lease
   *  anew. Once a lease is over the message is free: its owner has crashed. */
  claim(id: string, claim: { readonly owner: string; readonly leaseMs: number }): Promise<ClaimState>
  /** The message was handled, whoever has the claim by now; remembers that for `keepMs` at least. */
  done(id: string, claim: { readonly owner: string; readonly keepMs: number }): Promise<void>
  /** Frees the message when `owner` has it: handling failed, or somebody else is to handle it. Does nothing
   *  otherwise. */
  release(id: string, claim: { readonly owner: string }): Promise<void>
}

/** How a server or listener handles each message once, although brokers deliver some of them again. */
export interface IdempotencyOptions {
  readonly store: IdempotencyStore
  /** Tells the messages of one service from those of others in the same store. All processes that share a queue must
   *  have the same. Default: the topic, with the pool of a listener. */
  readonly scope?: string | undefined
  /** How long a claim outlives a process that has crashed, milliseconds; renewed while a handler runs. Default
   *  60 000. */
  readonly leaseMs?: number | undefined
  /** How long a message that was handled is remembered, milliseconds: longer than a broker may keep a copy. Default
   *  86 400 000, a day. */
  readonly keepMs?: number | undefined
  /** When a message is tried again that another process holds, or whose claim the store could not answer,
   *  milliseconds. Default 1000. */
  readonly retryAfterMs?: number | undefined
}
