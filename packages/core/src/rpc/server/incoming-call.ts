import type { IncomingRequest } from '../../driver/messages.ts'
import { MessagingTimeout } from '../../errors.ts'
import type { Clock } from '../../util/clock.ts'
import { type CallUnderWay, forgetCall } from '../call-of-context.ts'
import type { RPCCall } from './endpoint.ts'

const NO_HEADERS: Readonly<Record<string, string>> = Object.freeze({})

/** The third parameter of an endpoint's method, over the request it came with. */
export class IncomingCall implements RPCCall, CallUnderWay {
  readonly #request: IncomingRequest
  readonly #watching: Set<IncomingCall>
  readonly #clock: Clock
  readonly #receivedAt: number
  #controller: AbortController | undefined
  #timer: unknown
  #hasGone = false
  rememberedFor: object | undefined

  /** `watching` gets the call while its method holds a signal, so that the server can abort it. `receivedAt`: on the
   *  `now` of the clock, when the request came from the driver. */
  constructor(request: IncomingRequest, watching: Set<IncomingCall>, clock: Clock, receivedAt: number) {
    this.#request = request
    this.#watching = watching
    this.#clock = clock
    this.#receivedAt = receivedAt
  }

  get remainingMs(): number | null {
    const { expiresInMs } = this.#request
    if (expiresInMs === undefined) return null
    return Math.max(0, expiresInMs - (this.#clock.now() - this.#receivedAt))
  }

  /** Made when it is asked for: most methods never look. */
  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController()
      this.#watching.add(this)
      const { signal } = this.#request
      signal?.addEventListener('abort', this.#onTakenAway, { once: true })
      if (signal?.aborted) this.#onTakenAway()
      this.#watchTime()
    }
    return this.#controller.signal
  }

  /** The method was told by its signal that the caller's time is over. */
  get hasGone(): boolean {
    return this.#hasGone
  }

  get expectsReply(): boolean {
    return this.#request.expectsReply
  }

  get headers(): Readonly<Record<string, string>> {
    return this.#request.headers ?? NO_HEADERS
  }

  get redelivered(): boolean | undefined {
    return this.#request.redelivered
  }

  /** Tells the method, if it looks, that nobody waits for it. */
  abort(reason: unknown): void {
    this.#controller?.abort(reason)
  }

  /** The method is done: nothing is to be told any more. */
  end(): void {
    forgetCall(this)
    if (this.#controller === undefined) return
    this.#watching.delete(this)
    if (this.#timer !== undefined) this.#clock.clearTimeout(this.#timer)
    this.#request.signal?.removeEventListener('abort', this.#onTakenAway)
  }

  #watchTime(): void {
    const { remainingMs } = this
    if (remainingMs === null) return
    const { expiresInMs } = this.#request
    this.#timer = this.#clock.setTimeout(() => {
      this.#hasGone = true
      this.abort(
        new MessagingTimeout(`The caller waited ${expiresInMs} ms for the reply and is gone`, {
          phase: 'reply',
          delivery: 'confirmed',
          timeoutMs: expiresInMs,
        }),
      )
    }, remainingMs)
  }

  readonly #onTakenAway = (): void => this.abort(this.#request.signal?.reason)
}
