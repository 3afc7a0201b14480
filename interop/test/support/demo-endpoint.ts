import { setTimeout as sleep } from 'node:timers/promises'

import { expectedExceptions, KeyError, type RPCCall, RuntimeError, Target, ValueError } from '@oslo-messaging/core'

import { Inbox } from './inbox.ts'

type Args = Readonly<Record<string, unknown>>

/** The twin of DemoError in interop/peers/demo_errors.py: rebuilt there when the module is allowed. */
export class DemoError extends Error {
  static readonly module = 'demo_errors'
  readonly kwargs: Args
  constructor(message: string, kwargs: Args = {}) {
    super(message)
    this.name = 'DemoError'
    this.kwargs = kwargs
  }
}

/** The twin of PickyError: what travels is not enough to rebuild it. */
export class PickyError extends Error {
  static readonly module = 'demo_errors'
  readonly kwargs: Args
  constructor(name: string, code: number | null) {
    if (typeof code === 'object' && code !== null) throw new TypeError('what travels is not what it is made of')
    super(`picky ${name}/${code ?? 'None'}`)
    this.name = 'PickyError'
    this.kwargs = { name, code }
  }
}

const BUILTINS: Readonly<Record<string, (message: string) => Error>> = {
  ValueError: (message) => new ValueError(message),
  KeyError: (message) => new KeyError(message),
  RuntimeError: (message) => new RuntimeError(message),
}

export interface SeenRequest {
  readonly method: string
  readonly ctxt: object
  readonly args: Args
}

/** Answers as interop/peers/rpc_server.py does, so that a Python client cannot tell the two apart. */
export class DemoEndpoint {
  readonly target: Target
  readonly seen: Inbox<SeenRequest> = new Inbox<SeenRequest>()

  constructor(namespace: string | null, version: string) {
    this.target = new Target({ namespace, version })
  }

  ping(ctxt: object): string {
    this.#saw('ping', ctxt, {})
    return 'pong'
  }

  echo(ctxt: object, args: Args): Args {
    this.#saw('echo', ctxt, args)
    return args
  }

  give(ctxt: object, args: { value?: unknown }): unknown {
    this.#saw('give', ctxt, args)
    return args.value
  }

  context(ctxt: object): object {
    this.#saw('context', ctxt, {})
    return ctxt
  }

  async sleep(ctxt: object, args: { seconds: number; value?: unknown }, call: RPCCall): Promise<unknown> {
    this.#saw('sleep', ctxt, args)
    await sleep(args.seconds * 1000, undefined, { signal: call.signal })
    return args.value
  }

  fail(ctxt: object, args: { kind?: string; message?: string; code?: number | null }): never {
    this.#saw('fail', ctxt, args)
    const { kind = 'ValueError', message = 'it failed', code = null } = args
    if (kind === 'DemoError') throw new DemoError(message, { code })
    if (kind === 'PickyError') throw new PickyError(message, code)
    throw BUILTINS[kind]?.(message) ?? new Error(`no ${kind}`)
  }

  fail_expected = expectedExceptions([ValueError], (ctxt: object, args: { message?: string }): never => {
    this.#saw('fail_expected', ctxt, args)
    throw new ValueError(args.message ?? 'as expected')
  })

  _private(): string {
    return 'private'
  }

  #saw(method: string, ctxt: object, args: object): void {
    this.seen.add({ method, ctxt, args: { ...args } })
  }
}
