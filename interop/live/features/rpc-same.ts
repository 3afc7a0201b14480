import { expect } from 'vitest'

import type { Answer, CallWish, Fields } from '../side.ts'
import { type Need, type RpcFeature, rpc } from './feature.ts'

interface Question {
  readonly method: string
  readonly args?: Fields
  readonly wish?: CallWish
}

/** What a caller asks of a server of the other library and of one of its own; everything it can tell of the answers
 *  must be the same. */
const QUESTIONS: Readonly<Record<string, Question>> = {
  'every JSON value': {
    method: 'echo',
    args: { n: null, t: true, i: -3, f: 1.5, s: 'ü 😀 \u2028', l: [1, [2]], o: { k: {} } },
  },
  'nothing given': { method: 'give' },
  'the request context': { method: 'context', wish: { ctxt: { user: 'u', roles: ['r'], deep: { a: null } } } },
  'a namespace': { method: 'ping', wish: { target: { namespace: 'ns', version: '1.2' } } },
  'a version that is too new': { method: 'ping', wish: { target: { version: '1.9' } } },
  'another major version': { method: 'ping', wish: { target: { version: '2.0' } } },
  'an unknown namespace': { method: 'ping', wish: { target: { namespace: 'nowhere' } } },
  'an unknown method': { method: 'no_such_thing' },
  'a private method': { method: '_private' },
  'a builtin': { method: 'fail', args: { kind: 'ValueError', message: 'wrong ü' } },
  'a builtin that quotes its text': { method: 'fail', args: { kind: 'KeyError', message: 'key' } },
  'an expected error': { method: 'fail_expected', args: { message: 'no' } },
  'an error of an allowed module': { method: 'fail', args: { kind: 'DemoError', message: 'demo', code: 7 } },
  'an error that cannot be rebuilt': { method: 'fail', args: { kind: 'PickyError', message: 'p', code: 1 } },
  'a call that nobody answers in time': { method: 'sleep', args: { seconds: 3 }, wish: { timeoutMs: 1000 } },
  'a monitored call': { method: 'sleep', args: { seconds: 6, value: 1 }, wish: { monitorMs: 4000, timeoutMs: 20_000 } },
  'a version above the cap': { method: 'ping', wish: { target: { version: '1.4' }, versionCap: '1.3' } },
}

/** Without what differs between any two calls: message ids, topics, times and the lines of a traceback. */
function comparable({ value, error }: Answer): unknown {
  const known = error === undefined ? { value } : { error: error.raw }
  return JSON.parse(
    JSON.stringify(known, (key, item: unknown) => {
      if (key === 'traceback') return item === '' ? '' : '<traceback>'
      if (typeof item !== 'string') return item
      return item
        .replace(/\\?n? ?Traceback \(most recent.*/s, '<traceback>')
        .replace(/(?:\\n|\n)<traceback>/, '<traceback>')
        .replaceAll(/\b[0-9a-f]{32}\b/g, '<id>')
        .replaceAll(/\b[a-z]+-[0-9a-f]{8}\b/g, '<name>')
    }),
  )
}

const same = (name: string, questions: Readonly<Record<string, Question>>, needs: readonly Need[] = []): RpcFeature =>
  rpc(
    name,
    async ({ client, stranger, topic, reference }) => {
      const ask = async ({ method, args, wish = {} }: Question, to: string, who = client): Promise<unknown> =>
        comparable(await who.call(method, args, { ...wish, target: { ...wish.target, topic: to } }))
      const askAll = async (to: string): Promise<unknown> => {
        const asked = Object.entries(questions).map(async ([title, question]) => [title, await ask(question, to)])
        const demo = { method: 'fail', args: { kind: 'DemoError', message: 'demo', code: 7 } }
        return [
          ...(await Promise.all(asked)),
          ['an error of a module that is not allowed', await ask(demo, to, stranger)],
        ]
      }
      const [theirs, own] = await Promise.all([askAll(topic), askAll(reference)])
      expect(theirs).toEqual(own)
    },
    needs,
  )

export const sameFeatures: readonly RpcFeature[] = [
  same('the same answers as from a server of its own library', QUESTIONS),
  same(
    'the same answers with at-least-once',
    {
      'a topic that is served': { method: 'ping', wish: { atLeastOnce: true } },
      'a server that is not there': {
        method: 'ping',
        wish: { atLeastOnce: true, retry: 0, timeoutMs: 5000, target: { server: 'nobody' } },
      },
    },
    ['at-least-once'],
  ),
]
