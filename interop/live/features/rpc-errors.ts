import { expect } from 'vitest'

import { unique } from '../../test/support/ours.ts'
import type { Answer } from '../side.ts'
import { type RpcFeature, rpc } from './feature.ts'

/** Python's builtins that an endpoint may raise with one text. */
const BUILTINS = [
  'Exception',
  'ValueError',
  'KeyError',
  'TypeError',
  'RuntimeError',
  'NotImplementedError',
  'AttributeError',
  'LookupError',
  'IndexError',
  'OSError',
  'PermissionError',
  'TimeoutError',
  'ZeroDivisionError',
  'AssertionError',
] as const

const failed = ({ value, error }: Answer): NonNullable<Answer['error']> => {
  expect(value).toBeUndefined()
  if (error === undefined) throw new Error('The call did not fail')
  return error
}

export const errorFeatures: readonly RpcFeature[] = [
  rpc("errors: Python's builtins arrive as themselves", async ({ client }) => {
    const answers = await Promise.all(BUILTINS.map((kind) => client.call('fail', { kind, message: `wrong ü ${kind}` })))
    const errors = answers.map(failed)
    expect(errors.map(({ type, rebuilt }) => [type, rebuilt])).toEqual(BUILTINS.map((kind) => [kind, true]))
    for (const [index, kind] of BUILTINS.entries()) expect(errors[index]?.message).toContain(`wrong ü ${kind}`)
  }),
  rpc('errors: expected ones arrive alike', async ({ client }) => {
    const error = failed(await client.call('fail_expected', { message: 'no' }))
    expect(error).toMatchObject({ type: 'ValueError', rebuilt: true, message: 'no' })
  }),
  rpc('errors: of an allowed module are rebuilt with their arguments', async ({ client }) => {
    const error = failed(await client.call('fail', { kind: 'DemoError', message: 'demo', code: 7 }))
    expect(error).toMatchObject({ type: 'DemoError', rebuilt: true, message: 'demo', kwargs: { code: 7 } })
  }),
  rpc('errors: of any other module are remote errors', async ({ stranger }) => {
    const error = failed(await stranger.call('fail', { kind: 'DemoError', message: 'demo', code: 7 }))
    expect(error).toMatchObject({ type: 'RemoteError', origin: 'DemoError', rebuilt: false, message: 'demo' })
  }),
  rpc('errors: what cannot be rebuilt is a remote error', async ({ client }) => {
    const error = failed(await client.call('fail', { kind: 'PickyError', message: 'p', code: 1 }))
    expect(error).toMatchObject({ type: 'RemoteError', origin: 'PickyError', rebuilt: false, message: 'picky p/1' })
  }),
  rpc('errors: unknown and hidden methods', async ({ client }) => {
    for (const method of ['no_such_thing', '_private', '__init__']) {
      const error = failed(await client.call(method))
      expect(error.origin).toBe('NoSuchMethod')
      expect(error.message).toBe(`Endpoint does not support RPC method ${method}`)
    }
  }),
  rpc('errors: wrong arguments are a TypeError', async ({ client }) => {
    const error = failed(await client.call('ping', { surplus: 1 }))
    expect(error).toMatchObject({ type: 'TypeError', rebuilt: true })
    expect(error.message).toContain("got an unexpected keyword argument 'surplus'")
  }),
  rpc('errors: tracebacks of the other language', async ({ client, stranger, callee }) => {
    const place = callee.kind === 'python' ? 'rpc_server.py' : 'our-endpoint.ts'
    const errors = await Promise.all([
      client.call('fail', { kind: 'ValueError', message: 'where?' }),
      stranger.call('fail', { kind: 'DemoError', message: 'where?' }),
    ])
    for (const { traceback } of errors.map(failed)) {
      expect(traceback).toContain('Traceback (most recent call last)')
      expect(traceback).toContain(place)
      expect(traceback).toContain('where?')
    }
  }),
  rpc('errors: raised again by a server in between', async ({ caller, callee, topic }) => {
    const between = unique('between')
    const relay = await callee.serve({ topic: between, server: 'relay' })
    const client = await caller.client({ target: { topic: between }, timeoutMs: 20_000, allowDemoErrors: true })
    const ask = async (kind: string) =>
      failed(await client.call('relay', { to: topic, what: 'fail', given: { kind, message: 'deep', code: 7 } }))
    expect(await ask('ValueError')).toMatchObject({ type: 'ValueError', rebuilt: true })
    const unknown = await client.call('relay', { to: topic, what: 'no_such_thing', given: {} })
    // Python's server cannot rebuild it either, so what it raises again is the RemoteError that it got.
    expect(['NoSuchMethod', 'RemoteError']).toContain(failed(unknown).origin)
    await relay.stop()
  }),
]
