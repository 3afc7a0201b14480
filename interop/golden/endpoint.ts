/* oxlint-disable typescript/unbound-method -- marks are put on functions, nothing calls them */
import { setTimeout as sleep } from 'node:timers/promises'

import { declareArguments, expectedExceptions, KeyError, type RPCCall, Target, ValueError } from '@oslo-messaging/core'

import { ErrorWithKwargs } from '../test/support/demo-errors.ts'
import { Inbox } from '../test/support/inbox.ts'

type Args = Readonly<Record<string, unknown>>

/** Rebuilt where `demo.errors` is allowed. */
export class CustomError extends ErrorWithKwargs {
  static readonly module = 'demo.errors'
  override readonly name = 'CustomError'
}

/** What travels is not enough to rebuild it, in Python neither: its constructor takes other things than its message. */
export class KwError extends ErrorWithKwargs {
  static readonly module = 'demo.errors'
  override readonly name = 'KwError'
  constructor(name: string, code: number) {
    if (typeof code !== 'number') throw new TypeError('code must be a number')
    super(`kw error ${name}/${code}`, { name, code })
  }
}

class MessagingException extends Error {
  static readonly module = 'oslo_messaging.exceptions'
  override readonly name = 'MessagingException'
}

/** The endpoint the captures were made with: `EP` there too, because that name is in an error text. */
export class EP {
  /** First arguments of `text`, in order. */
  readonly executions: Inbox<unknown> = new Inbox<unknown>()

  text(_ctxt: object, args: { text: string }): string {
    this.executions.add(args.text)
    return args.text
  }

  expected(): never {
    throw new ValueError('expected failure')
  }

  echo(_ctxt: object, args: Args): Args {
    return args
  }

  async slow(_ctxt: object, args: { seconds: number }, call: RPCCall): Promise<string> {
    await sleep(args.seconds * 1000, undefined, { signal: call.signal })
    return 'done'
  }

  nothing(): null {
    return null
  }

  mapping(): object {
    return { a: 1, b: { c: [true, null] } }
  }

  empty(): object {
    return {}
  }

  flag(): boolean {
    return false
  }

  real(): number {
    return 1.5
  }

  number(): number {
    return 42
  }

  listing(): readonly unknown[] {
    return [1, 'two', null, { three: 3 }]
  }

  string(): string {
    return 'héllo ☃ 😀'
  }

  boom(): never {
    throw new ValueError('bad value')
  }

  keyerr(): never {
    throw new KeyError('missing')
  }

  custom(): never {
    throw new CustomError('custom failed', { code: 7 })
  }

  kwerr(): never {
    throw new KwError('disk', 7)
  }

  mesg(): never {
    throw new MessagingException('nested')
  }

  _private(): string {
    return 'private'
  }

  static {
    declareArguments(['text'], EP.prototype.text)
    EP.prototype.expected = expectedExceptions([ValueError], EP.prototype.expected)
  }
}

/** The same in a namespace. */
export class SpacedEP {
  readonly target: Target = new Target({ namespace: 'control', version: '2.3' })

  ns_echo(_ctxt: object, args: { text: string }): string {
    return args.text
  }
}
