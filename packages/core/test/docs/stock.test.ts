import { getRpcClient, getRpcServer, getRpcTransport, type MessagingTimeout } from '@oslo-messaging/core'
import { createFaults, createManualClock, createMemoryDriver, createRecorder } from '@oslo-messaging/core/testing'
import { afterEach, beforeEach, expect, it } from 'vitest'

interface Stock {
  reserve(args: { item: string; count: number }): { left: number }
}

const recorder = createRecorder()
const faults = createFaults()
const clock = createManualClock()
const driver = createMemoryDriver({ recorder, faults })

async function open() {
  // A broker of its own in this process: no port, no files, gone when the test ends.
  const transport = await getRpcTransport({ url: 'memory://', clock, registry: { resolve: async () => driver } })
  const server = getRpcServer<Stock>(
    transport,
    { topic: 'stock', server: 'one' },
    { reserve: (_context, { count }) => ({ left: 10 - count }) },
  )
  await server.start()
  return { transport, client: getRpcClient<Stock>(transport, { topic: 'stock' }) }
}

let opened: Awaited<ReturnType<typeof open>>
beforeEach(async () => {
  opened = await open()
})
afterEach(async () => {
  faults.clear()
  await opened.transport.close()
  recorder.clear()
})

it('reserves, and asks for it once', async () => {
  expect(await opened.client.call({}, 'reserve', { item: 'bolt', count: 3 })).toEqual({ left: 7 })
  expect(recorder.calls({ topic: 'stock', method: 'reserve' })).toHaveLength(1)
})

it('says that it may have happened when the reply is lost', async () => {
  faults.dropReply()
  const lost = opened.client.call({}, 'reserve', { item: 'bolt', count: 3 }, { timeoutMs: 5_000 })
  const failed = lost.then(
    () => undefined,
    (error: MessagingTimeout) => error,
  )
  await recorder.waitFor((event) => event.type === 'reply')
  await clock.advance(5_000) // five seconds pass at once
  expect(await failed).toMatchObject({ code: 'OSLO_MESSAGING_TIMEOUT', delivery: 'confirmed' })
})
