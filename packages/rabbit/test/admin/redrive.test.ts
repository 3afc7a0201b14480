import { Deadline, type RedriveRequest } from '@oslo-messaging/core/driver'
import { describe, expect, it } from 'vitest'
import { redrive } from '../../src/admin/redrive.ts'
import { amqpError, FakeBroker } from '../support/fake-broker.ts'
import { connectClient } from '../support/client-connection.ts'
import { OddPeer } from '../support/odd-peer.ts'

/** A broker with letters in `q.dead`, by the queue each came from. */
async function withLetters(origins: readonly (string | null)[]) {
  const broker = new FakeBroker()
  const connection = await broker.connect({ hostname: 'h' } as Parameters<FakeBroker['connect']>[0])
  const channel = await connection.openChannel()
  for (const name of ['q', 'q.dead'])
    await channel.declareQueue({ name, durable: true, autoDelete: false, arguments: {} })
  for (const [index, origin] of origins.entries())
    broker.publish('', 'q.dead', String(index), { headers: origin === null ? {} : { 'x-oslo-origin': origin } })
  const bodies = (queue: string): string[] => broker.queues.get(queue)?.messages.map(({ body }) => String(body)) ?? []
  const request = (changes: Partial<RedriveRequest> = {}): RedriveRequest => ({
    source: 'q',
    to: null,
    limit: null,
    dryRun: false,
    deadline: Deadline.after(2000),
    ...changes,
  })
  return { broker, connection, bodies, request }
}

describe('P09 - redrive on RabbitMQ', () => {
  it('moves what says where it came from, acknowledged after the confirm; the rest stays', async () => {
    const { broker, connection, bodies, request } = await withLetters(['q', null, 'q', 'gone'])
    await expect(redrive(connection, request())).resolves.toEqual({
      moved: 2,
      left: 2,
      skipped: [
        { reason: 'it does not say which queue it came from: name one with --to', count: 1 },
        { reason: 'there is no queue gone', count: 1 },
      ],
    })
    expect(bodies('q').toSorted()).toEqual(['0', '2'])
    expect(bodies('q.dead').toSorted()).toEqual(['1', '3'])
    expect(broker.sent('basic.ack')).toHaveLength(2)
  })

  it('nothing is acknowledged while its confirm is outstanding: the run ends at its deadline, and every letter is where it was', async () => {
    const { broker, connection, bodies, request } = await withLetters(['q', 'q'])
    broker.holdConfirms = true
    await expect(redrive(connection, request({ deadline: Deadline.after(100) }))).rejects.toMatchObject({
      code: 'OSLO_MESSAGING_TIMEOUT',
      delivery: 'unknown',
    })
    expect(broker.sent('basic.ack')).toEqual([])
    expect(bodies('q.dead').toSorted()).toEqual(['0', '1'])
  })

  it('a refused copy ends the run, and its letter stays', async () => {
    const { broker, connection, bodies, request } = await withLetters(['q'])
    broker.nack = true
    await expect(redrive(connection, request())).rejects.toThrow('The queue q takes no more messages')
    expect(bodies('q.dead')).toEqual(['0'])
  })

  it('a channel that breaks in the middle - says how many were moved', async () => {
    // More than are on their way at once, so that the first have been confirmed when the last are taken.
    const { broker, connection, bodies, request } = await withLetters(Array.from({ length: 70 }, () => 'q'))
    let taken = 0
    broker.onMethod = (method) => {
      if (method === 'basic.get' && (taken += 1) === 66) throw amqpError(541, 'internal')
    }
    const error: unknown = await redrive(connection, request()).catch((reason: unknown) => reason)
    const moved = Number(/^internal \(dead letters moved before that: (\d+)/.exec((error as Error).message)?.[1])
    expect(moved).toBeGreaterThan(0)
    expect(bodies('q.dead').length).toBe(70 - moved)
  })

  it('limit - so many are moved, those that stay do not count; dry run - none is', async () => {
    const { connection, bodies, request } = await withLetters([null, 'q', 'q', 'q'])
    await expect(redrive(connection, request({ dryRun: true }))).resolves.toMatchObject({ moved: 3, left: 4 })
    expect(bodies('q')).toEqual([])
    await expect(redrive(connection, request({ limit: 2 }))).resolves.toMatchObject({ moved: 2, left: 2 })
    expect(bodies('q')).toHaveLength(2)
    await expect(redrive(connection, request({ to: 'q' }))).resolves.toMatchObject({ moved: 2, left: 0, skipped: [] })
  })

  it('a broker that answers no closing of a channel - the run ends at its deadline, not ten seconds later', async () => {
    const peer = await OddPeer.start()
    peer.queues.set('q.dead', { messages: [], consumers: [] })
    peer.onMethod = ({ name }) => name === 'channel.close'
    const connection = await connectClient({ port: peer.port, answerTimeoutMs: 10_000 })
    const { request } = await withLetters([])
    const startedAt = performance.now()
    await expect(redrive(connection, request())).resolves.toEqual({ moved: 0, left: 0, skipped: [] })
    expect(performance.now() - startedAt).toBeLessThan(5000)
    connection.destroy(new Error('over'))
    await peer.close()
  })
})
