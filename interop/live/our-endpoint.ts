/* oxlint-disable typescript/unbound-method -- marks are put on functions, nothing calls them */
import { setTimeout as sleep } from 'node:timers/promises'

import {
  declareArguments,
  expectedExceptions,
  expose,
  KeyError,
  PythonError,
  type RPCCall,
  Target,
  ValueError,
} from '@oslo-messaging/core'

import { DemoError, PickyError } from '../test/support/demo-errors.ts'
import type { Fields, SeenRequest } from './side.ts'

/** What the endpoints of one server share. */
export class EndpointState {
  readonly name: string
  /** Calls another topic, for `relay`. */
  readonly callTopic: (topic: string, ctxt: object, method: string, args: Fields) => Promise<unknown>
  readonly saw: (request: SeenRequest) => void
  total = 0
  text = ''

  constructor(
    name: string,
    saw: (request: SeenRequest) => void,
    callTopic: (topic: string, ctxt: object, method: string, args: Fields) => Promise<unknown>,
  ) {
    this.name = name
    this.saw = saw
    this.callTopic = callTopic
  }
}

/** The twin of Endpoint in interop/peers/side_parts.py, which has most of it from rpc_server.py: a client cannot tell
 *  the two apart. */
export class OurEndpoint {
  readonly target: Target
  readonly #state: EndpointState
  readonly #namespace: string | null

  constructor(state: EndpointState, namespace: string | null, version: string) {
    this.target = new Target({ namespace, version })
    this.#state = state
    this.#namespace = namespace
  }

  ping(ctxt: object): string {
    this.#saw('ping', ctxt, {})
    return 'pong'
  }

  whoami(ctxt: object): string {
    this.#saw('whoami', ctxt, {})
    return this.#state.name
  }

  echo(ctxt: object, args: Fields): Fields {
    this.#saw('echo', ctxt, args)
    return args
  }

  give(ctxt: object, args: { value?: unknown }): unknown {
    this.#saw('give', ctxt, {})
    return args.value
  }

  context(ctxt: object): object {
    this.#saw('context', ctxt, {})
    return ctxt
  }

  add(ctxt: object, args: { increment: number }): number {
    this.#saw('add', ctxt, args)
    return (this.#state.total += args.increment)
  }

  subtract(ctxt: object, args: { increment: number }): number {
    this.#saw('subtract', ctxt, args)
    if (this.#state.total < args.increment) throw new ValueError('the total cannot go below zero')
    return (this.#state.total -= args.increment)
  }

  append(ctxt: object, args: { text: string }): string {
    this.#saw('append', ctxt, args)
    return (this.#state.text += args.text)
  }

  state(): Fields {
    const { total, text } = this.#state
    return { total, text }
  }

  async sleep(ctxt: object, args: { seconds: number; value?: unknown }, call: RPCCall): Promise<unknown> {
    this.#saw('sleep', ctxt, args)
    await sleep(args.seconds * 1000, undefined, { signal: call.signal })
    return args.value
  }

  async relay(ctxt: object, args: { to: string; what: string; given: Fields }): Promise<unknown> {
    this.#saw('relay', ctxt, { to: args.to })
    return await this.#state.callTopic(args.to, ctxt, args.what, args.given)
  }

  fail(ctxt: object, args: { kind?: string; message?: string; code?: number | null }): never {
    const { kind = 'ValueError', message = 'it failed', code = null } = args
    this.#saw('fail', ctxt, { kind })
    throw errorOf(kind, message, code)
  }

  fail_expected(ctxt: object, args: { message?: string }): never {
    this.#saw('fail_expected', ctxt, args)
    throw new ValueError(args.message ?? 'as expected')
  }

  /** Refused by ExplicitRPCAccessPolicy only. */
  not_exposed(): string {
    return 'not exposed'
  }

  /** Served by LegacyRPCAccessPolicy only. */
  _private(): string {
    return 'private'
  }

  static {
    const { prototype } = OurEndpoint
    declareArguments([], prototype.ping)
    prototype.fail_expected = expectedExceptions([ValueError], prototype.fail_expected)
    const hidden = ['constructor', 'not_exposed', '_private']
    const names = Object.getOwnPropertyNames(prototype).filter((name) => !hidden.includes(name))
    for (const name of names) expose(prototype[name as 'ping'])
  }

  #saw(method: string, ctxt: object, args: object): void {
    this.#state.saw({ method, ctxt: { ...ctxt }, args: { ...args }, namespace: this.#namespace })
  }
}

/** The error that Python raises for the same words. */
function errorOf(kind: string, message: string, code: number | null): Error {
  if (kind === 'DemoError') return new DemoError(message, { code })
  if (kind === 'PickyError') return new PickyError(message, code)
  if (kind === 'KeyError') return new KeyError(message)
  if (kind === 'TypeError') return new TypeError(message)
  const error = new PythonError(message)
  error.name = kind
  return error
}
