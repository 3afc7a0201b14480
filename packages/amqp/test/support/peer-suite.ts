import { Deadline, type Driver, Target } from '@oslo-messaging/core/driver'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { openDriver } from './open-driver.ts'
import { cast, ending, pong, request, serve, within } from './scene.ts'

/** A peer in a process of its own. */
export interface OtherPeer {
  readonly url: string
  close(): Promise<void>
}

/** What works with every peer of AMQP 1.0, broker or router. Call it inside a `describe`. */
export function runPeerSuite(start: () => Promise<OtherPeer>): void {
  let peer: OtherPeer
  let server: Driver
  let client: Driver
  beforeAll(async () => {
    peer = await start()
    server = await openDriver(peer.url)
    client = await openDriver(peer.url)
  })
  afterAll(async () => {
    await Promise.all([server.close(), client.close()])
    await peer.close()
  })

  it('1,000 calls at once, casts, and calls to one server', async () => {
    await serve(server, 'calls')
    const calls = Array.from({ length: 1_000 }, () =>
      ending(client.send(new Target({ topic: 'calls' }), request, within(30_000))),
    )
    expect((await Promise.all(calls)).filter((end) => end instanceof Error)).toEqual([])
    expect(await client.send(new Target({ topic: 'calls', server: 's' }), request, within(10_000))).toEqual(pong)
  })

  it('a fanout reaches every server', async () => {
    let seen = 0
    for (const [name, driver] of Object.entries({ server, client }))
      await driver.listen(new Target({ topic: 'all', server: name }), {
        deadline: Deadline.after(10_000),
        prefetch: 10,
        onMessage(incoming) {
          incoming.acknowledge()
          seen += 1
        },
      })
    await client.send(new Target({ topic: 'all', fanout: true }), request, cast(10_000))
    await expect.poll(() => seen, { timeout: 10_000 }).toBe(2)
  })

  it('messages of 1 MB go both ways', async () => {
    const large = 'x'.repeat(1_000_000)
    await serve(server, 'large', (incoming) => {
      incoming.acknowledge()
      void incoming.reply({ result: incoming.message['args'], failure: null })
    })
    const message = { method: 'm', args: { large } }
    const reply = await client.send(new Target({ topic: 'large' }), { context: {}, message }, within(30_000))
    expect(reply).toEqual({ result: { large }, failure: null })
  })

  it('a notification is settled by its listener, handed back once, and comes again', async () => {
    const seen: unknown[] = []
    await server.listenForNotifications([{ target: new Target({ topic: 'news' }), priority: 'info' }], {
      deadline: Deadline.after(10_000),
      prefetch: 10,
      pool: null,
      allowRequeue: true,
      onMessage(incoming) {
        seen.push(incoming.message['event_type'])
        if (seen.length === 1) incoming.requeue()
        else incoming.acknowledge()
      },
    })
    await client.sendNotification(
      new Target({ topic: 'news.info' }),
      { context: {}, message: { event_type: 'e' } as never },
      { version: '2.0', retries: null, deadline: Deadline.after(20_000) },
    )
    await expect.poll(() => seen, { timeout: 20_000 }).toEqual(['e', 'e'])
  })

  it('a call to a topic nobody serves ends at its deadline', async () => {
    const end = await ending(client.send(new Target({ topic: 'nobody' }), request, within(1_500)))
    expect(end).toMatchObject({ code: 'OSLO_MESSAGING_TIMEOUT' })
  })
}
