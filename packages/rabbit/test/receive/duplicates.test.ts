import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { type IncomingRequest, Target } from '@oslo-messaging/core/driver'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { RabbitSettings } from '../../src/settings.ts'
import { FakeBroker } from '../support/fake-broker.ts'
import { listenOptions, openDriver } from '../support/open-driver.ts'

const COUNTED = ['oslo-messaging:message-dropped', 'oslo-messaging:duplicate-handled'] as const

describe('messages that come twice', () => {
  const counts = new Map<string, number>()
  const count = (_event: unknown, name: string | symbol): unknown =>
    counts.set(String(name), (counts.get(String(name)) ?? 0) + 1)
  beforeEach(() => {
    counts.clear()
    for (const name of COUNTED) subscribe(name, count)
  })
  afterEach(() => {
    for (const name of COUNTED) unsubscribe(name, count)
  })

  async function serve(settings: Partial<RabbitSettings>) {
    const broker = new FakeBroker()
    const driver = openDriver(broker, { settings })
    const got: IncomingRequest[] = []
    const onMessage = (request: IncomingRequest): void => {
      got.push(request)
      request.acknowledge()
    }
    const target = new Target({ topic: 'demo', server: 'a' })
    const listener = await driver.listen(target, listenOptions<IncomingRequest>(onMessage, { prefetch: 10 }))
    const send = (n: number): void =>
      broker.publish('openstack', 'demo', JSON.stringify({ method: 'm', args: { n }, _unique_id: `id-${n}` }))
    const close = async (): Promise<void> => {
      await listener.close()
      await driver.close()
    }
    return { got, send, close }
  }

  it('after a cut - a hundred messages that the broker repeats come once', async () => {
    const { got, send, close } = await serve({})
    for (let round = 0; round < 2; round += 1) for (let n = 0; n < 100; n += 1) send(n)
    expect(got.length).toBe(100)
    await close()
  })

  it.each([
    { settings: {}, kept: 1024 },
    // As oslo.
    { settings: { duplicateCacheSize: 16 }, kept: 16 },
  ])(
    'S16 - the last $kept ids are remembered with $settings, further back they are not',
    async ({ settings, kept }) => {
      const { got, send, close } = await serve(settings)
      for (let n = 0; n <= kept; n += 1) send(n)
      send(kept)
      send(1)
      expect(got.length).toBe(kept + 1)
      send(0)
      expect(got.length).toBe(kept + 2)
      await close()
    },
  )

  it.each([
    { size: 10_000, runs: 1000, heldBack: 1000, handledAgain: 0 },
    { size: 16, runs: 2000, heldBack: 0, handledAgain: 1000 },
  ])(
    'P21 - 1000 requests replayed in order, $size ids kept: $runs runs, $heldBack held back and $handledAgain handled again are counted',
    async ({ size, runs, heldBack, handledAgain }) => {
      const { got, send, close } = await serve({ duplicateCacheSize: size })
      for (let round = 0; round < 2; round += 1) for (let n = 0; n < 1000; n += 1) send(n)
      expect(got.length).toBe(runs)
      const [dropped, again] = COUNTED.map((name) => counts.get(name) ?? 0)
      expect({ dropped, again }).toEqual({ dropped: heldBack, again: handledAgain })
      await close()
    },
  )

  it('P21 - the ids can be kept elsewhere, for each listener by its name', async () => {
    const kept = new Map<string, Set<string>>()
    const { got, send, close } = await serve({
      duplicateStore(listener) {
        const ids = new Set<string>()
        kept.set(listener, ids)
        return ids
      },
    })
    for (const n of [1, 2, 1]) send(n)
    expect(got.length).toBe(2)
    expect([...kept]).toEqual([['rpc demo.a', new Set(['id-1', 'id-2'])]])
    await close()
  })

  it('a store that throws knows nothing: requests are handled, and the connection they came on stays', async () => {
    const store = {
      has: (): boolean => {
        throw new Error('store is down')
      },
      add: (): void => {
        throw new Error('store is down')
      },
    }
    const { got, send, close } = await serve({ duplicateStore: () => store })
    send(1)
    send(2)
    expect(got).toHaveLength(2)
    await close()
  })
})
