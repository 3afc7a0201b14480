import type { PeerEvent } from './peer.ts'

/** What a Python client asks; it must get the same from our server as from Python's own. */
export const QUESTIONS: readonly [title: string, command: Readonly<Record<string, unknown>>][] = [
  ['nothing in, text out', { method: 'ping' }],
  [
    'every JSON value',
    { method: 'echo', args: { n: null, t: true, i: -3, f: 1.5, s: 'ü 😀 \u2028', l: [1, [2]], o: { k: {} } } },
  ],
  ['null', { method: 'give', args: {} }],
  ['false', { method: 'give', args: { value: false } }],
  ['an empty list', { method: 'give', args: { value: [] } }],
  ['1 MB of text', { method: 'give', args: { value: 'ä'.repeat(500_000) } }],
  ['the request context', { method: 'context', ctxt: { user: 'u', roles: ['r'], deep: { a: null } } }],
  ['a namespace', { method: 'ping', target: { namespace: 'ns', version: '1.2' } }],
  ['a version that is too new', { method: 'ping', target: { version: '1.9' } }],
  ['another major version', { method: 'ping', target: { version: '2.0' } }],
  ['an unknown namespace', { method: 'ping', target: { namespace: 'nowhere' } }],
  ['an unknown method', { method: 'no_such_thing' }],
  ['a private method', { method: '_private' }],
  ['a Python builtin exception', { method: 'fail', args: { kind: 'ValueError', message: 'wrong ü' } }],
  ['an exception that quotes its message', { method: 'fail', args: { kind: 'KeyError', message: 'key' } }],
  ['an expected exception', { method: 'fail_expected', args: { message: 'no' } }],
  ['an exception of an allowed module', { method: 'fail', args: { kind: 'DemoError', message: 'demo', code: 7 } }],
  ['an exception that cannot be rebuilt', { method: 'fail', args: { kind: 'PickyError', message: 'p', code: 1 } }],
  ['a call that nobody answers in time', { method: 'sleep', args: { seconds: 3 }, timeout: 1 }],
  [
    'a long call that is monitored',
    { method: 'sleep', args: { seconds: 4, value: 'done' }, timeout: 30, call_monitor_timeout: 2 },
  ],
  ['a version above the cap', { method: 'ping', target: { version: '1.4' }, version_cap: '1.3' }],
  ['a call with at-least-once', { method: 'ping', at_least_once: true }],
  [
    'a topic nobody serves, with at-least-once',
    { method: 'ping', target: { topic: 'nobody-here' }, at_least_once: true, timeout: 5, retry: 0 },
  ],
]

/** Without what differs between any two calls: numbers, times, message ids, topics, and the lines of a traceback. */
export function comparable(answer: PeerEvent): unknown {
  const { id: _id, seconds: _seconds, lines: _lines, ...rest } = answer
  return JSON.parse(
    JSON.stringify(rest, (_, value: unknown) =>
      typeof value === 'string'
        ? value
            .replace(/\\n ?Traceback.*/s, '')
            .replaceAll(/\b[0-9a-f]{32}\b/g, '<id>')
            .replaceAll(/\b(?:ours|theirs)-[0-9a-f]{8}\b/g, '<topic>')
        : value,
    ),
  )
}
