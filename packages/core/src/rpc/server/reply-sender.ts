import type { Logger } from '../../diagnostics/logger.ts'
import type { IncomingRequest, RPCReply } from '../../driver/messages.ts'
import { isMessagingError } from '../../errors.ts'
import { createDeferred, type Deferred } from '../../util/deferred.ts'
import { errorText } from '../../util/text.ts'
import type { RemoteErrorTable } from '../../wire/remote-error-table.ts'
import { encodeFailure } from '../../wire/remote-failure.ts'

export interface ReplySenderOptions {
  /** Names the server in logs. */
  readonly server: string
  readonly logger: Logger
  readonly remoteErrors: RemoteErrorTable
  readonly workers: number
}

/** Replies on their way, so many for each worker, do not hold up the next request; with more the worker waits. */
const REPLIES_PER_WORKER = 16

/** Sends replies and failures and keeps count of those on their way. A reply that waits, for a missing queue for
 *  example, does not hold its worker, but there is a limit to them. */
export class ReplySender {
  readonly #options: ReplySenderOptions
  readonly #limit: number
  #outstanding = 0
  #waiting: Deferred<void>[] = []

  constructor(options: ReplySenderOptions) {
    this.#options = options
    this.#limit = options.workers * REPLIES_PER_WORKER
  }

  /** Sends a result. Resolves when the worker may go on; never rejects. */
  succeed(request: IncomingRequest, result: unknown): Promise<void> | undefined {
    return request.expectsReply ? this.#send(request, { result: result ?? null, failure: null }) : undefined
  }

  /** Sends what was thrown as a failure. Resolves when the worker may go on; never rejects. */
  fail(request: IncomingRequest, thrown: unknown): Promise<void> | undefined {
    if (!request.expectsReply) return undefined
    return this.#send(request, { result: null, failure: encodeFailure(thrown, this.#options.remoteErrors) })
  }

  /** Resolves when no reply is on its way. */
  async settled(): Promise<void> {
    while (this.#outstanding > 0) await this.#nextDone()
  }

  #send(request: IncomingRequest, reply: RPCReply): Promise<void> | undefined {
    this.#outstanding += 1
    let sent: Promise<void>
    try {
      sent = request.reply(reply)
    } catch (error) {
      sent = Promise.reject(error)
    }
    sent.then(this.#done, (error: unknown) => this.#failed(request, reply, error))
    return this.#outstanding > this.#limit ? this.#nextDone() : undefined
  }

  readonly #done = (): void => {
    this.#outstanding -= 1
    if (this.#waiting.length === 0) return
    const waiting = this.#waiting
    this.#waiting = []
    for (const each of waiting) each.resolve()
  }

  /** Nothing was sent: the result cannot be encoded. The client learns that instead of waiting for its timeout. */
  #failed(request: IncomingRequest, reply: RPCReply, error: unknown): void {
    if (reply.failure === null && isMessagingError(error, 'SERIALIZATION')) void this.fail(request, error)
    this.#done()
    this.#options.logger.error(`A reply of ${this.#options.server} cannot be sent: ${errorText(error)}`, { error })
  }

  #nextDone(): Promise<void> {
    const next = createDeferred<void>()
    this.#waiting.push(next)
    return next.promise
  }
}
