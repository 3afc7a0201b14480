import { createHook } from 'node:async_hooks'
import { randomUUID } from 'node:crypto'
import { type HeapProfiler, Session } from 'node:inspector/promises'
import { expect, it } from 'vitest'
import { getRpcClient, getRpcServer, getRpcTransport } from '../../src/index.ts'
import { createScene } from '../rpc/scene.ts'

/** Functions of core that allocated something while `run` ran, as `name@file`. */
async function allocating(run: () => Promise<void>): Promise<string[]> {
  const session = new Session()
  session.connect()
  try {
    await session.post('HeapProfiler.startSampling', {
      samplingInterval: 512,
      includeObjectsCollectedByMajorGC: true,
      includeObjectsCollectedByMinorGC: true,
    })
    await run()
    const { profile } = await session.post('HeapProfiler.stopSampling')
    const visit = ({ callFrame, selfSize, children }: HeapProfiler.SamplingHeapProfileNode): string[] => [
      ...(selfSize > 0 && callFrame.url.includes('/core/src/') ? [`${callFrame.functionName}@${callFrame.url}`] : []),
      ...children.flatMap(visit),
    ]
    return visit(profile.head)
  } finally {
    session.disconnect()
  }
}

it('without interceptors a message allocates nothing for them, and with one it does', async () => {
  await using scene = await createScene()
  await scene.serve({ add: (_context: object, { a, b }: { a: number; b: number }) => a + b })
  const client = scene.client()
  const calls = async (): Promise<void> => {
    for (let n = 0; n < 100; n += 1) await client.call({}, 'add', { a: n, b: 1 })
  }
  const ofInterceptors = (names: readonly string[]): string[] => names.filter((name) => /intercept/i.test(name))
  await calls()
  const without = await allocating(calls)
  expect(without.length).toBeGreaterThan(10)
  expect(ofInterceptors(without)).toEqual([])
  scene.transport.use({
    call: async (_operation, next) => await next(),
    serve: async (_operation, next) => await next(),
  })
  expect(ofInterceptors(await allocating(calls))).not.toEqual([])
})

it('a call costs seven promises, client, bus and server together', async () => {
  await using transport = await getRpcTransport({ url: `memory://${randomUUID()}` })
  await getRpcServer(
    transport,
    { topic: 't', server: 's' },
    { add: (_context: object, { a }: { a: number }) => a + 1 },
  ).start()
  const client = getRpcClient(transport, { topic: 't' })
  const calls = async (): Promise<void> => {
    for (let n = 0; n < 100; n += 1) await client.call({}, 'add', { a: n })
  }
  await calls()
  let count = 0
  const hook = createHook({ init: (_id, type) => void (type === 'PROMISE' && (count += 1)) })
  hook.enable()
  await calls()
  hook.disable()
  expect(Math.round(count / 100)).toBeLessThanOrEqual(7)
})
