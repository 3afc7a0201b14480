import { readFileSync } from 'node:fs'
import { inspect } from 'node:util'
import { describe, expect, it } from 'vitest'
import * as errors from '../src/errors.ts'
import { Target } from '../src/target.ts'

type MessagingError = errors.MessagingError

const target = new Target({ topic: 't', server: 's' })

/** One of each, made with as little as it takes, with its text and the fields that are its own. */
const MADE: Readonly<Record<string, readonly [error: MessagingError, text: string, fields: object]>> = {
  InvalidTransportURL: [new errors.InvalidTransportURL('x://***@h', 'no'), 'no', { url: 'x://***@h' }],
  InvalidTarget: [
    new errors.InvalidTarget('A server needs a topic', target),
    'A server needs a topic:<Target topic=t, server=s>',
    { target: '<Target topic=t, server=s>' },
  ],
  ConfigurationError: [new errors.ConfigurationError('no', { option: '[g] o' }), 'no', { option: '[g] o' }],
  DriverLoadFailure: [new errors.DriverLoadFailure('nats', 'no'), 'no', { driver: 'nats' }],
  UnsupportedCapability: [new errors.UnsupportedCapability('rpc', 'no'), 'no', { capability: 'rpc' }],
  TransportDriverError: [
    new errors.TransportDriverError('no', { host: 'h:1', brokerCode: 406 }),
    'no',
    { host: 'h:1', brokerCode: 406 },
  ],
  AuthenticationError: [
    new errors.AuthenticationError('no', { host: 'h:1', brokerCode: 403 }),
    'no',
    { host: 'h:1', brokerCode: 403 },
  ],
  ClientSendError: [new errors.ClientSendError(target, 'no'), 'no', { target: '<Target topic=t, server=s>' }],
  MessageDeliveryFailure: [
    new errors.MessageDeliveryFailure('no', { attempts: 3, elapsedMs: 20 }),
    'no',
    { attempts: 3, elapsedMs: 20 },
  ],
  MessageUndeliverable: [
    new errors.MessageUndeliverable('no', { exchange: 'e', routingKey: 'k' }),
    'no',
    { exchange: 'e', routingKey: 'k' },
  ],
  MessagingTimeout: [new errors.MessagingTimeout('no', { timeoutMs: 5 }), 'no', { timeoutMs: 5 }],
  BackpressureError: [new errors.BackpressureError('no'), 'no', {}],
  ReplyPathLost: [new errors.ReplyPathLost('no'), 'no', {}],
  ServerLost: [new errors.ServerLost('no', { monitorTimeoutMs: 5 }), 'no', { monitorTimeoutMs: 5 }],
  ClosedError: [new errors.ClosedError('no'), 'no', {}],
  SerializationError: [new errors.SerializationError('no'), 'no', {}],
  ServerListenError: [new errors.ServerListenError(target, 'no'), 'no', { target: '<Target topic=t, server=s>' }],
  ExecutorLoadFailure: [new errors.ExecutorLoadFailure('greenlets', 'no'), 'no', { executor: 'greenlets' }],
  TaskTimeout: [new errors.TaskTimeout('no'), 'no', {}],
  NoSuchMethod: [new errors.NoSuchMethod('m'), 'Endpoint does not support RPC method m', { method: 'm' }],
  UnsupportedVersion: [
    new errors.UnsupportedVersion('1.9', 'm'),
    'Endpoint does not support RPC version 1.9. Attempted method: m',
    { version: '1.9', method: 'm' },
  ],
  RemoteError: [
    new errors.RemoteError('KeyError', "'x'", ['line\n'], { module: 'builtins' }),
    "Remote error: KeyError 'x'",
    { excType: 'KeyError', module: 'builtins', value: "'x'", traceback: ['line\n'], args: [], kwargs: {} },
  ],
  RPCVersionCapError: [
    new errors.RPCVersionCapError('1.6', '1.5'),
    'Version 1.6 is not allowed by the version cap 1.5: same major and no higher minor is needed',
    { version: '1.6', versionCap: '1.5' },
  ],
  ExpectedException: [new errors.ExpectedException(new Error('x')), 'Expected exception', {}],
}

/** Bases that are not thrown themselves. */
const BASES = ['MessagingError', 'MessagingServerError', 'RPCDispatcherError']

const exportedClasses = Object.entries(errors).filter(
  (entry): entry is [string, typeof errors.MessagingError] =>
    typeof entry[1] === 'function' && (entry[1] as unknown) !== errors.isMessagingError,
)

const COMMON = ['name', 'code', 'retryable', 'phase', 'delivery', 'message', 'stack', 'cause']
const ownFields = (error: MessagingError): string[] =>
  Object.getOwnPropertyNames(error).filter((field) => !COMMON.includes(field))

describe('INVENTORY 7 errors', () => {
  it('every class is in the table below', () => {
    expect(exportedClasses.map(([name]) => name).sort()).toEqual([...Object.keys(MADE), ...BASES].sort())
  })

  it.each(Object.entries(MADE))('%s - has its name, text and fields', (name, [error, text, fields]) => {
    expect(error).toBeInstanceOf(errors.MessagingError)
    expect([error.name, error.message]).toEqual([name, text])
    expect(Object.fromEntries(ownFields(error).map((field) => [field, (error as never)[field]]))).toEqual(fields)
    expect(error.stack).toContain('errors.test.ts')
  })

  it('tree - server errors and dispatcher errors keep their place in that of oslo', () => {
    const bases = (error: MessagingError): string[] => {
      const names: string[] = []
      for (
        let one: unknown = error.constructor;
        typeof one === 'function' && one.name !== '';
        one = Object.getPrototypeOf(one)
      )
        names.push(one.name)
      return names.slice(1)
    }
    const server = ['MessagingServerError', 'MessagingError', 'Error']
    for (const [name, [error]] of Object.entries(MADE)) {
      const expected = ['NoSuchMethod', 'UnsupportedVersion'].includes(name)
        ? ['RPCDispatcherError', ...server]
        : ['ServerListenError', 'ExecutorLoadFailure', 'TaskTimeout'].includes(name)
          ? server
          : ['MessagingError', 'Error']
      expect(bases(error), name).toEqual(expected)
    }
  })

  it('codes - no two classes share one, and all have the prefix', () => {
    const codes = Object.values(MADE).map(([error]) => error.code)
    expect(new Set(codes).size).toBe(codes.length)
    for (const code of codes) expect(code).toMatch(/^OSLO_MESSAGING_[A-Z_]+$/)
  })

  it('options - cause, retryable, phase and delivery are kept', () => {
    const cause = new Error('underneath')
    const error = new errors.TransportDriverError('no', {
      cause,
      retryable: true,
      phase: 'confirm',
      delivery: 'unknown',
    })
    expect(error).toMatchObject({ cause, retryable: true, phase: 'confirm', delivery: 'unknown' })
    expect(new errors.ClosedError('no')).toMatchObject({ retryable: false, phase: undefined, delivery: undefined })
    expect('cause' in new errors.ClosedError('no')).toBe(false)
  })

  const known: readonly [name: string, error: MessagingError, facts: object][] = [
    [
      'BackpressureError',
      new errors.BackpressureError('x'),
      { retryable: true, phase: 'publish', delivery: 'not-sent' },
    ],
    ['MessageUndeliverable', new errors.MessageUndeliverable('x'), { delivery: 'not-sent' }],
    ['ReplyPathLost', new errors.ReplyPathLost('x'), { phase: 'reply', delivery: 'unknown' }],
    ['ServerLost', new errors.ServerLost('x'), { phase: 'reply', delivery: 'confirmed' }],
    ['RemoteError', new errors.RemoteError('E', '', []), { delivery: 'confirmed' }],
    ['RPCVersionCapError', new errors.RPCVersionCapError(null, '1.0'), { delivery: 'not-sent', version: null }],
  ]
  it.each(known)('%s - knows what became of the message', (_name, error, facts) => {
    expect(error).toMatchObject(facts)
  })

  it('UnsupportedVersion - without a method says only the version', () => {
    expect(new errors.UnsupportedVersion('2.0').message).toBe('Endpoint does not support RPC version 2.0')
  })

  it('codes - the compiler has the class of each', () => {
    const table = readFileSync(new URL('../src/errors.ts', import.meta.url), 'utf8')
      .split('export interface MessagingErrors {')[1]
      ?.split('}')[0]
    const rows = [...(table ?? '').matchAll(/readonly ([A-Z_]+): (\w+)/g)].map(([, code, name]) => [name, code])
    const made = Object.entries(MADE).map(([name, [error]]) => [name, error.code.replace('OSLO_MESSAGING_', '')])
    expect(rows).toHaveLength(made.length)
    expect(Object.fromEntries(rows)).toEqual(Object.fromEntries(made))
  })

  it('isMessagingError - goes by the code, with or without its prefix, whichever copy made the error', () => {
    const foreign = Object.assign(new Error('x'), { code: 'OSLO_MESSAGING_TIMEOUT' })
    expect(errors.isMessagingError(foreign)).toBe(true)
    expect(errors.isMessagingError(foreign, 'TIMEOUT')).toBe(true)
    expect(errors.isMessagingError(foreign, 'OSLO_MESSAGING_TIMEOUT')).toBe(true)
    expect(errors.isMessagingError(foreign, 'CLOSED')).toBe(false)
    for (const other of [
      new Error('x'),
      Object.assign(new Error('x'), { code: 'ECONNRESET' }),
      Object.assign(new Error('x'), { code: 5 }),
      null,
      'OSLO_MESSAGING_TIMEOUT',
      { code: 'OSLO_MESSAGING_TIMEOUT' },
    ])
      expect(errors.isMessagingError(other)).toBe(false)
  })
})

describe('docs/errors.md', () => {
  const text = readFileSync(new URL('../../../docs/errors.md', import.meta.url), 'utf8')
  /** Rows of its tables that begin with a class: class, code, retryable, fields, raised when, what to do. */
  const rows = text
    .split('\n')
    .filter((line) => /^\| `[A-Z]/.test(line))
    .map((line) =>
      line
        .split('|')
        .slice(1, -1)
        .map((cell) => cell.trim()),
    )
  const documented = new Map(rows.map((row) => [row[0]?.replaceAll('`', ''), row]))
  const listOf = (cell: string | undefined): string[] =>
    [...(cell ?? '').matchAll(/`([^`]+)`/g)].map((match) => match[1] ?? '').sort()

  it('lists every class, and no other', () => {
    const documentable = exportedClasses.map(([name]) => name).filter((name) => name !== 'MessagingError')
    expect(new Set(documented.keys())).toEqual(new Set(documentable))
    expect(rows).toHaveLength(documented.size)
  })

  it.each(Object.entries(MADE))(
    '%s - has the code, the fields and the retryable that the class has',
    (name, [error]) => {
      const [, code, retryable, fields, when, advice] = documented.get(name) ?? []
      expect(listOf(code)).toEqual([error.code.replace('OSLO_MESSAGING_', '')])
      expect(listOf(fields)).toEqual(ownFields(error).sort())
      if (retryable !== 'per cause') expect(retryable).toBe(error.retryable ? 'yes' : 'no')
      expect([when, advice].map((cell) => (cell ?? '').length > 10)).toEqual([true, true])
    },
  )

  it('describes every delivery and phase', () => {
    for (const word of ['not-sent', 'unknown', 'confirmed', 'connect', 'declare', 'publish', 'confirm', 'reply'])
      expect(text).toContain(`\`${word}\``)
  })
})

describe('inspection', () => {
  it('shows the traceback of the far side line by line, and no list of escaped texts', () => {
    const lines = ['Traceback (most recent call last):\n', '  File "a.py", line 1, in f\n    g()\n', 'E: m\n']
    const error = new errors.RemoteError('E', 'm', lines, { module: 'demo', cause: new Error('why') })
    const text = inspect(error)
    expect(text.slice(text.indexOf('On the far side'))).toBe(
      'On the far side:\n  Traceback (most recent call last):\n    File "a.py", line 1, in f\n      g()\n  E: m',
    )
    expect(text).toContain("module: 'demo'")
    expect(text).toContain('Error: why')
    expect(text).not.toContain('\\n')
    expect(inspect(new errors.RemoteError('E', 'm', []))).not.toContain('On the far side')
  })
})
