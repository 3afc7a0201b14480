/** Another implementation at the same broker: Python's library, or another release of the driver. Whoever gives it to
 *  the suite ends it; cases stop what they start. */
export interface ConformancePeer {
  /** `oslo.messaging 18.3.1 (Python)`. */
  readonly name: string
  /** Exchange of its requests; absent: the one that the driver takes by itself. */
  readonly exchange?: string
  /** Starts an RPC server and resolves once it serves. Its method `echo` returns its arguments, and `fail` raises an
   *  error whose text is its argument `message`. `onRequest` hears of each request. What it resolves with stops it. */
  serve(topic: string, server: string, onRequest: (method: string) => void): Promise<() => Promise<void>>
  /** Calls one of the topic's servers and resolves with the result. Rejects with an error that has the text of the
   *  remote one in its message. */
  call(topic: string, method: string, args: Readonly<Record<string, unknown>>): Promise<unknown>
  /** Casts to every server of the topic. */
  fanout(topic: string, method: string, args: Readonly<Record<string, unknown>>): Promise<void>
  /** Sends one notification; resolves when the peer has done its part. */
  notify(topic: string, priority: string, payload: unknown): Promise<void>
  /** Listens without a pool, and resolves once what is sent from then on is heard. What it resolves with stops it. */
  listen(
    topic: string,
    priorities: readonly string[],
    onNotification: (priority: string, payload: unknown) => void,
  ): Promise<() => Promise<void>>
}
