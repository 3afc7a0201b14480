import type { IncomingRequest } from '../../driver/messages.ts'
import type { RPCCall } from './endpoint.ts'

const NO_HEADERS: Readonly<Record<string, string>> = Object.freeze({})

/** The third parameter of an endpoint's method, over the request it came with. */
export class IncomingCall implements RPCCall {
  readonly #request: IncomingRequest
  readonly #watching: Set<IncomingCall>
  #controller: AbortController | undefined

  /** `watching` gets the call while its method holds a signal, so that the server can abort it. */
  constructor(request: IncomingRequest, watching: Set<IncomingCall>) {
    this.#request = request
    this.#watching = watching
  }

  /** Made when it is asked for: most methods never look. */
  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController()
      this.#watching.add(this)
      const { signal } = this.#request
      signal?.addEventListener('abort', this.#onTakenAway, { once: true })
      if (signal?.aborted) this.#onTakenAway()
    }
    return this.#controller.signal
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
    if (this.#controller === undefined) return
    this.#watching.delete(this)
    this.#request.signal?.removeEventListener('abort', this.#onTakenAway)
  }

  readonly #onTakenAway = (): void => this.abort(this.#request.signal?.reason)
}
