import { readdirSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import {
  ExpectedException,
  MessagingError,
  MessagingTimeout,
  NoSuchMethod,
  RemoteError,
  SerializationError,
  UnsupportedVersion,
} from '../../src/errors.ts'
import {
  AttributeError,
  IndexError,
  KeyError,
  LookupError,
  NotImplementedError,
  OSError,
  PermissionError,
  PythonError,
  PythonTimeoutError,
  RuntimeError,
  ValueError,
} from '../../src/wire/python-errors.ts'
import { RemoteErrorTable } from '../../src/wire/remote-error-table.ts'
import { decodeFailure, encodeFailure } from '../../src/wire/remote-failure.ts'
import { loadVector } from '../vectors.ts'

interface Capture {
  readonly api: {
    readonly replies?: readonly { readonly failure?: string }[]
    readonly error?: { readonly python_class: string; readonly str_first_line: string }
    readonly outcome?: { readonly error: readonly [string, string] }
  }
  readonly wire: readonly {
    readonly body?: string
    readonly message?: { readonly body?: { readonly value?: string } }
  }[]
}

/** The failure text of a captured reply, and how Python's client saw it. */
function captured(name: string) {
  const { api, wire } = loadVector(name) as Capture
  const texts = [
    ...(api.replies ?? []).map((reply) => reply.failure),
    ...wire.map((frame) => failureIn(frame.body ?? frame.message?.body?.value)),
  ]
  const failure = texts.find((text) => typeof text === 'string')
  if (failure === undefined) throw new Error(`${name} holds no failure`)
  const seen = api.error?.python_class ?? api.outcome?.error[0] ?? ''
  return { failure, seen, text: api.error?.str_first_line ?? api.outcome?.error[1] ?? '' }
}

function failureIn(body: string | undefined): string | undefined {
  if (body === undefined || !body.includes('failure')) return undefined
  const outer = JSON.parse(body) as Record<string, unknown>
  const inner =
    outer['oslo.message'] === undefined ? outer : (JSON.parse(outer['oslo.message'] as string) as typeof outer)
  return typeof inner['failure'] === 'string' ? inner['failure'] : undefined
}

const nothing = new RemoteErrorTable()
const roundTrip = (thrown: unknown, table = nothing): Error => decodeFailure(encodeFailure(thrown, table), table)
const fields = (thrown: unknown, table?: RemoteErrorTable): Record<string, unknown> =>
  JSON.parse(encodeFailure(thrown, table)) as Record<string, unknown>

class CustomError extends Error {}
const custom = new RemoteErrorTable({ 'demo.errors': { CustomError } })

describe('C14 remote errors - captured failures', () => {
  const names = readdirSync(new URL('../../../../interop/vectors', import.meta.url))
    .filter((file) => file.includes('reply-failure'))
    .map((file) => file.replace('.json', ''))

  it('finds the captures', () => {
    expect(names.length).toBeGreaterThanOrEqual(20)
  })

  it.each(names)('%s - is read into a typed error with its text', (name) => {
    const { failure, seen, text } = captured(name)
    const error = decodeFailure(failure, custom)
    if (seen === 'JSONDecodeError') return expect(error).toBeInstanceOf(SerializationError)
    const origin = error instanceof RemoteError ? error : error.cause
    expect(origin).toBeInstanceOf(RemoteError)
    const { excType, value, traceback } = origin as RemoteError
    expect(text.replaceAll('\\', '')).toContain(value.split('\n')[0])
    expect(traceback.every((line) => typeof line === 'string')).toBe(true)
    // Our own classes need no permission here; everything else is seen as by Python.
    const own = excType === 'NoSuchMethod' || excType === 'UnsupportedVersion'
    return expect(error.name).toBe(own ? excType : seen)
  })

  it.each([
    ['rabbit-rpc-reply-failure-builtin', ValueError, 'bad value'],
    ['rabbit-rpc-reply-failure-builtin-keyerror', KeyError, "'missing'"],
    ['rabbit-rpc-reply-failure-bad-args', TypeError, "EP.text() got an unexpected keyword argument 'wrong'"],
    ['rabbit-rpc-reply-failure-no-such-method', NoSuchMethod, 'Endpoint does not support RPC method absent'],
    [
      'rabbit-rpc-reply-failure-unsupported-version',
      UnsupportedVersion,
      'Endpoint does not support RPC version 1.9. Attempted method: text',
    ],
    ['rabbit-rpc-reply-failure-custom', CustomError, 'custom failed'],
    ['rabbit-edge-reply-failure-py2-module', KeyError, 'm'],
  ] as const)('%s - has its class and text', (name, Class, message) => {
    const error = decodeFailure(captured(name).failure, custom)
    expect(error).toBeInstanceOf(Class)
    expect(error.message).toBe(message)
  })
})

describe('C15 allowed_remote_exmods', () => {
  const failure = JSON.stringify({
    class: 'CustomError',
    module: 'demo.errors',
    message: 'm',
    tb: ['t'],
    args: ['m'],
    kwargs: { k: 1 },
  })

  it('a class of an allowed module is constructed with what the far side used and named as Python names it', () => {
    class Keeping extends Error {
      readonly given: readonly unknown[]
      constructor(...given: unknown[]) {
        super('own words')
        this.given = given
      }
    }
    const error = decodeFailure(failure, new RemoteErrorTable({ 'demo.errors': { CustomError: Keeping } }))
    expect(error).toBeInstanceOf(Keeping)
    expect(error).toMatchObject({ name: 'CustomError_Remote', message: 'm', given: ['m', { k: 1 }] })
    expect(error.cause).toMatchObject({ excType: 'CustomError', module: 'demo.errors', traceback: ['t'] })
  })

  it('a module allowed by name only gives a RemoteError with that name and every part', () => {
    const error = decodeFailure(failure, new RemoteErrorTable(['demo.errors']))
    expect(error).toBeInstanceOf(RemoteError)
    expect(error).toMatchObject({
      name: 'CustomError_Remote',
      excType: 'CustomError',
      module: 'demo.errors',
      args: ['m'],
      kwargs: { k: 1 },
    })
  })

  it.each([
    ['another module', new RemoteErrorTable(['demo'])],
    ['a longer module', new RemoteErrorTable(['demo.errors.more'])],
    ['a class that is not in the table', new RemoteErrorTable({ 'demo.errors': { CustomErro: CustomError } })],
  ])('%s is not allowed by it', (_, table) => {
    expect(decodeFailure(failure, table)).toMatchObject({
      name: 'RemoteError',
      excType: 'CustomError',
      message: 'Remote error: CustomError m',
    })
  })

  it('a constructor that refuses the arguments gives RemoteError with the refusal as cause', () => {
    class Picky extends Error {
      constructor() {
        super()
        throw new TypeError('no')
      }
    }
    const error = decodeFailure(failure, new RemoteErrorTable({ 'demo.errors': { CustomError: Picky } }))
    expect(error).toMatchObject({ name: 'RemoteError', cause: { message: 'no' } })
  })

  it.each(['__proto__', 'constructor', 'toString', 'hasOwnProperty', 'Function', 'eval'])(
    'D11 %s named on the wire is only a name',
    (name) => {
      for (const module of ['builtins', 'demo.errors', name]) {
        const error = decodeFailure(JSON.stringify({ class: name, module, message: 'm' }), custom)
        expect(error).toMatchObject({ name: 'RemoteError', excType: name, module })
      }
    },
  )

  it.each(['KeyboardInterrupt', 'SystemExit', 'GeneratorExit', 'BaseException', 'dict', 'open'])(
    'builtins.%s is no Exception and stays a RemoteError',
    (name) => {
      expect(decodeFailure(JSON.stringify({ class: name, module: 'builtins' }), nothing).name).toBe('RemoteError')
    },
  )

  it('refuses a table whose entries are no classes', () => {
    const wrong = { 'demo.errors': { CustomError: 'CustomError' } } as unknown
    expect(() => new RemoteErrorTable(wrong as { m: { C: typeof CustomError } })).toThrow(/demo\.errors CustomError/)
  })
})

describe('decodeFailure - whatever comes gives an error', () => {
  it.each([
    '',
    '{',
    'null',
    '7',
    '[]',
    '"text"',
    '{"class": 1, "module": {}, "tb": "no list", "args": {}, "kwargs": []}',
    '{"class":"ValueError","module":"builtins","tb":[1,null]}',
  ])('%s', (text) => {
    expect(decodeFailure(text, custom)).toBeInstanceOf(Error)
  })
})

describe('encodeFailure', () => {
  it.each([
    ['Error', new Error('m'), 'Exception', 'builtins'],
    ['TypeError', new TypeError('m'), 'TypeError', 'builtins'],
    ['RangeError', new RangeError('m'), 'ValueError', 'builtins'],
    ['ValueError', new ValueError('m'), 'ValueError', 'builtins'],
    ['PythonError', new PythonError('m'), 'Exception', 'builtins'],
    ['an own class', new CustomError('m'), 'CustomError', 'node'],
    ['NoSuchMethod', new NoSuchMethod('m'), 'NoSuchMethod', 'oslo_messaging.rpc.dispatcher'],
    ['UnsupportedVersion', new UnsupportedVersion('1.2', 'm'), 'UnsupportedVersion', 'oslo_messaging.rpc.dispatcher'],
    ['MessagingTimeout', new MessagingTimeout('m'), 'MessagingTimeout', 'oslo_messaging.exceptions'],
    ['SerializationError', new SerializationError('m'), 'SerializationError', 'oslo_messaging.exceptions'],
    ['a text', 'm', 'Exception', 'builtins'],
    ['nothing', undefined, 'Exception', 'builtins'],
  ])('%s - has a class and module Python can use', (_, thrown, name, module) => {
    expect(fields(thrown)).toMatchObject({ class: name, module, kwargs: {} })
  })

  it('writes every part Python writes', () => {
    const written = fields(new ValueError('bad value'))
    expect(Object.keys(written)).toEqual(['class', 'module', 'message', 'tb', 'args', 'kwargs'])
    const tb = written['tb'] as string[]
    expect(tb[0]).toBe('Traceback (most recent call last):\n')
    expect(tb.at(-1)).toBe('ValueError: bad value\n')
    expect(tb.at(-2)).toMatch(/^ {2}File ".*remote-failure\.test\.ts", line \d+, in .*\n$/)
    expect(written['args']).toEqual(['bad value'])
  })

  it('shows causes as Python does and does not follow them for ever', () => {
    const inner = new Error('inner')
    inner.cause = inner
    const tb = fields(new Error('outer', { cause: inner }))['tb'] as string[]
    expect(tb.filter((line) => line.startsWith('Traceback'))).toHaveLength(2)
    expect(tb).toContain('Error: inner\n')
    expect(tb.at(-1)).toBe('Exception: outer\n')
  })

  it('KeyError shows its key as Python does', () => {
    expect(fields(new KeyError('missing'))).toMatchObject({ message: "'missing'", args: ['missing'] })
    expect(fields(new KeyError(7))).toMatchObject({ message: '7', args: [7] })
  })

  it('a class says its module with a static field, or by the table of the transport', () => {
    class Quota extends Error {
      static readonly module = 'nova.exception'
      readonly kwargs = { limit: 3 }
    }
    expect(fields(new Quota('m'))).toMatchObject({ class: 'Quota', module: 'nova.exception', kwargs: { limit: 3 } })
    expect(fields(new CustomError('m'), custom)).toMatchObject({ class: 'CustomError', module: 'demo.errors' })
  })

  it('D13 ExpectedException - the error inside it is what is sent', () => {
    expect(fields(new ExpectedException(new ValueError('m')))).toMatchObject({ class: 'ValueError' })
  })

  it.each([
    ['an object without a prototype', Object.create(null) as object],
    [
      'an error whose message throws',
      Object.defineProperty(new Error('m'), 'message', {
        get: () => {
          throw new Error('hidden')
        },
      }),
    ],
    ['a symbol', Symbol('s')],
  ])('%s - is still a failure', (_, thrown) => {
    expect(fields(thrown)).toMatchObject({ class: 'Exception', module: 'builtins' })
  })

  it('an error with arguments JSON cannot hold is still sent', () => {
    const failing = new PythonError('m', { args: [() => 1] })
    expect(fields(failing)).toMatchObject({ class: 'Exception', message: 'm' })
    const loop: Record<string, unknown> = {}
    loop['self'] = loop
    expect(fields(new PythonError('m', { args: [loop] }))).toMatchObject({ args: ['[object Object]'] })
  })
})

describe('raising again - an error that passes through a server keeps what it was', () => {
  const text = JSON.stringify({
    class: 'Boom_Remote',
    module: 'm.errors_Remote',
    message: 'x',
    tb: ['t\n'],
    args: [1],
    kwargs: { a: 2 },
  })

  it('endings are taken off', () => {
    expect(fields(decodeFailure(text, nothing))).toEqual({
      class: 'Boom',
      module: 'm.errors',
      message: 'x',
      tb: ['t\n'],
      args: [1],
      kwargs: { a: 2 },
    })
  })

  it('a rebuilt error is sent as it came', () => {
    const came = JSON.stringify({
      class: 'ValueError',
      module: 'builtins',
      message: 'x',
      tb: ['far away\n'],
      args: ['x'],
      kwargs: {},
    })
    expect(JSON.parse(encodeFailure(decodeFailure(came, nothing)))).toEqual(JSON.parse(came))
  })

  it('one that was made because of it is its own', () => {
    const came = decodeFailure(JSON.stringify({ class: 'ValueError', module: 'builtins', message: 'x' }), nothing)
    expect(fields(new ValueError('mine', { cause: came.cause }))).toMatchObject({ message: 'mine' })
  })
})

describe('round trip', () => {
  it.each([
    ValueError,
    RuntimeError,
    NotImplementedError,
    AttributeError,
    LookupError,
    IndexError,
    OSError,
    PermissionError,
    PythonTimeoutError,
    TypeError,
    PythonError,
  ])('%o arrives as itself', (Class) => {
    const error = roundTrip(new Class('why'))
    expect(error).toBeInstanceOf(Class)
    expect(error.message).toBe('why')
    expect(error).not.toBeInstanceOf(MessagingError)
    expect(error.cause).toMatchObject({ value: 'why', module: 'builtins' })
  })

  it('fields of our own errors come back', () => {
    expect(roundTrip(new NoSuchMethod('go'))).toMatchObject({ code: 'OSLO_MESSAGING_NO_SUCH_METHOD', method: 'go' })
    expect(roundTrip(new UnsupportedVersion('1.9', 'go'))).toMatchObject({ version: '1.9', method: 'go' })
  })

  it('a name Python has and we have not is a PythonError of that name', () => {
    expect(
      decodeFailure('{"class":"ZeroDivisionError","module":"builtins","message":"division by zero"}', nothing),
    ).toMatchObject({
      name: 'ZeroDivisionError',
      message: 'division by zero',
    })
  })
})
