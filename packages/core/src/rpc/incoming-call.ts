import type { IncomingRequest } from '../driver/messages.ts'
import type { RPCCall } from './endpoint.ts'

const NO_HEADERS: Readonly<Record<string, string>> = Object.freeze({})

/** The third parameter of an endpoint's method, over the request it came with. */
export class IncomingCall implements RPCCall {
  readonly #request: IncomingRequest
  #signal: AbortSignal | undefined

  constructor(request: IncomingRequest) {
    this.#request = request
  }

  /** Made when it is asked for: most methods never look. */
  get signal(): AbortSignal {
    this.#signal ??= this.#request.signal ?? new AbortController().signal
    return this.#signal
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
}
