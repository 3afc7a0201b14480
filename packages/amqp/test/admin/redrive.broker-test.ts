import { randomUUID } from 'node:crypto'
import { createDriverContext } from '@oslo-messaging/core/testing'
import { Deadline, type RedriveRequest, TransportURL } from '@oslo-messaging/core/driver'
import rhea, { type Message } from 'rhea'
import { afterAll, describe, expect, it } from 'vitest'
import { AmqpAdmin } from '../../src/admin/admin.ts'
import { amqpDriver } from '../../src/index.ts'
import { type Artemis, artemis } from '../support/artemis.ts'
import { type Place, put } from '../support/put.ts'

const broker = await artemis()

describe.skipIf(broker === undefined)('P09 - dead letters on Artemis', () => {
  if (broker === undefined) return
  afterAll(() => broker.close())
  redriveTests(broker)
})

function redriveTests(broker: Artemis): void {
  const { place, url } = broker
  const redrive = async (source: string, changes: Partial<RedriveRequest> = {}) => {
    const admin = new AmqpAdmin(TransportURL.parse(url), createDriverContext(amqpDriver))
    try {
      const deadline = Deadline.after(20_000)
      return await admin.redrive({ source, to: null, limit: null, dryRun: false, deadline, ...changes })
    } finally {
      await admin.close()
    }
  }
  const unique = (): string => `redrive.${randomUUID().slice(0, 8)}`

  it('P09 - what the broker itself has buried returns to its address, as it was', async () => {
    const address = unique()
    const body = '{"request": {"payload": "é"}, "context": {}}'
    await put(place, address, { body, durable: true, to: address, application_properties: { traceparent: '00-1' } })
    await take(place, address, 'reject')
    await expect.poll(() => broker.depth('DLQ'), { timeout: 10_000 }).toBe(1)
    await expect(redrive('DLQ', { dryRun: true })).resolves.toMatchObject({ moved: 1, left: 1 })
    await expect(redrive('DLQ')).resolves.toEqual({ moved: 1, left: 0, skipped: [] })
    const back = await take(place, address, 'accept')
    expect(back).toMatchObject({ body, to: address, durable: true, application_properties: { traceparent: '00-1' } })
    expect(back.message_annotations).toBeUndefined()
    expect(await broker.depth('DLQ')).toBe(0)
  })

  it('P09 - letters without their origin stay and are counted; with --to they go where it says, up to the limit', async () => {
    const address = unique()
    for (const number of [1, 2, 3]) await put(place, `${address}.dead`, { body: `letter ${number}`, durable: true })
    await expect(redrive(address)).resolves.toEqual({
      moved: 0,
      left: 3,
      skipped: [{ reason: 'it does not say which address it came from: name one with --to', count: 3 }],
    })
    await expect(redrive(`${address}.dead`, { to: address, limit: 2 })).resolves.toEqual({
      moved: 2,
      left: null,
      skipped: [],
    })
    await expect(take(place, address, 'accept')).resolves.toMatchObject({ body: 'letter 1' })
    await expect(redrive(`${address}.dead`, { to: address })).resolves.toEqual({ moved: 1, left: 0, skipped: [] })
  })

  it('P09 - an address that is in use is refused, and keeps what it has', async () => {
    const address = unique()
    await put(place, address, { body: 'alive', durable: true })
    await expect(redrive(address)).rejects.toThrow(/are no dead letters/)
    await expect(take(place, address, 'accept')).resolves.toMatchObject({ body: 'alive' })
  })

  it('P09 - more than one round of them: each is moved once', async () => {
    const address = unique()
    const count = 250
    await Promise.all(
      Array.from({ length: count }, async (_, number) => await put(place, address, { body: number, durable: true })),
    )
    await take(place, address, 'reject', count)
    await expect.poll(() => broker.depth('DLQ'), { timeout: 10_000 }).toBe(count)
    await expect(redrive('DLQ')).resolves.toEqual({ moved: count, left: 0, skipped: [] })
    expect(await broker.depth(address)).toBe(count)
  })
}

/** Takes messages of an address with rhea alone and settles them; resolves with the last one. */
async function take(place: Place, address: string, how: 'accept' | 'reject', count = 1): Promise<Message> {
  const connection = rhea.create_container().connect({ host: '127.0.0.1', reconnect: false, ...place })
  try {
    return await new Promise<Message>((resolve, reject) => {
      const receiver = connection.open_receiver({ source: address, credit_window: 0, autoaccept: false })
      receiver.add_credit(count)
      let taken = 0
      receiver.on('message', ({ message, delivery }) => {
        delivery?.[how]()
        taken += 1
        if (taken === count && message !== undefined) setImmediate(() => resolve(message))
      })
      receiver.on('receiver_error', () => reject(new Error(`receiver_error on ${address}`)))
      connection.on('disconnected', () => reject(new Error('disconnected')))
    })
  } finally {
    connection.close()
  }
}
