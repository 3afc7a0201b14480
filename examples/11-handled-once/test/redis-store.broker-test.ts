import { setTimeout as sleep } from 'node:timers/promises'
import { createClient } from '@redis/client'
import { skipOrFail, startBroker } from '@oslo-messaging/brokers'
import { idempotencyStoreCases } from '@oslo-messaging/conformance/idempotency'
import { afterAll, describe, expect, it } from 'vitest'
import { RedisIdempotencyStore } from '../src/index.ts'

const broker = await skipOrFail(startBroker('redis'))

describe.skipIf(broker === undefined)('idempotency store over Redis', async () => {
  if (broker === undefined) return
  const connect = async () => await createClient({ url: broker.url }).connect()
  // Two connections, as two processes have them.
  const [one, two] = await Promise.all([connect(), connect()])
  afterAll(async () => {
    await Promise.all([one.close(), two.close()])
    await broker.close()
  })
  const store = new RedisIdempotencyStore(one)
  const open = () => ({ store, other: new RedisIdempotencyStore(two), pass: sleep })

  for (const { name, run } of idempotencyStoreCases) it(name, async () => await run(open))

  it('keys end by themselves', async () => {
    await store.claim('ends', { owner: 'a', leaseMs: 30 })
    await store.done('ends', { keepMs: 30 })
    await expect.poll(async () => await one.exists('handled:ends')).toBe(0)
  })
})
