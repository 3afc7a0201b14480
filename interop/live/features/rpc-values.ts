import { expect } from 'vitest'

import { type RpcFeature, type RpcScene, rpc } from './feature.ts'

const MEBIBYTE = 1024 * 1024

/** Gives each value and expects it back. */
async function comesBack({ client }: RpcScene, values: readonly unknown[]): Promise<void> {
  const answers = await Promise.all(values.map((value) => client.call('give', { value })))
  expect(answers.map(({ error }) => error)).toEqual(values.map(() => undefined))
  expect(answers.map(({ value }) => value)).toEqual(values)
}

export const valueFeatures: readonly RpcFeature[] = [
  rpc('call: null, false, lists, objects', async (scene) => {
    const tree = { a: [{ b: { c: null } }], constructor: 'text', empty: {}, list: [[]] }
    await comesBack(scene, [null, false, true, 0, '', [], [null], {}, tree])
    const echoed = await scene.client.call('echo', { n: null, t: true, l: [1, [2]], o: { k: {} } })
    expect(echoed.value).toEqual({ n: null, t: true, l: [1, [2]], o: { k: {} } })
  }),
  rpc('call: unicode', async (scene) => {
    await comesBack(scene, [
      'ü 😀 \u2028\u2029 \u0000 \u001f \\ " /',
      '\ud800 alone',
      { 'schlüssel 😀': 'wert' },
      '\u{10ffff}\uffff',
    ])
  }),
  rpc('call: numbers beyond 2^53', async (scene) => {
    await comesBack(scene, [
      Number.MAX_SAFE_INTEGER,
      9007199254740993n,
      -123456789012345678901234567890n,
      [2n ** 64n, { deep: -(2n ** 63n) }],
      0.1,
      1.5e300,
      5e-324,
    ])
  }),
  rpc('call: NaN and infinities', async (scene) => {
    await comesBack(scene, [NaN, Infinity, -Infinity, [NaN, { x: -Infinity }]])
  }),
  rpc(
    'call: 4 MiB both ways',
    async ({ client }) => {
      const text = `${'x'.repeat(4 * MEBIBYTE - 8)}ü😀 end`
      const { value, error } = await client.call('give', { value: text }, { timeoutMs: 60_000 })
      expect(error).toBeUndefined()
      expect(value === text).toBe(true)
    },
    ['4 MiB messages'],
  ),
  rpc('call: fifty at once, each its own answer', async ({ client }) => {
    const values = Array.from({ length: 50 }, (_, index) => `value-${index}`)
    const answers = await Promise.all(values.map((value) => client.call('give', { value })))
    expect(answers.map(({ value }) => value)).toEqual(values)
  }),
  rpc('call: request context', async ({ client, one, two }) => {
    const ctxt = { user_id: 'ü', roles: ['r', 's'], deep: { a: null }, number: 9007199254740993n, auth_token: 't' }
    const { value } = await client.call('context', {}, { ctxt })
    expect(value).toMatchObject(ctxt)
    const seen = (): unknown =>
      [...one.requests.items, ...two.requests.items].find(({ ctxt: had }) => had['user_id'] === 'ü')
    await expect.poll(seen, { timeout: 15_000 }).toMatchObject({ ctxt })
    const bare = await client.call('context', {}, { ctxt: {} })
    expect(Object.keys(bare.value as object).filter((key) => key !== 'client_timeout')).toEqual([])
  }),
]
