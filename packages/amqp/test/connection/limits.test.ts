import { Deadline, Target } from '@oslo-messaging/core/driver'
import { describe, expect, it } from 'vitest'
import type { OddPeer } from '../support/odd-peer.ts'
import { cast, ending, oddScene, pong, request, serve, within } from '../support/scene.ts'

// handle-max and channel-max as a peer announces them: links are spread over the sessions there may be, and refused by
// name beyond.

const scene = oddScene()
const topics = (count: number): Target[] => Array.from({ length: count }, (_, n) => new Target({ topic: `t${n}` }))
const sessions = (peer: OddPeer): number =>
  peer.connections.reduce((sum, connection) => sum + connection.sessions.size, 0)

describe('handle-max', () => {
  it('senders fill one session after the other', async () => {
    const peer = await scene.peer({ handleMax: 2, channelMax: 20 })
    const driver = await scene.driver(peer)
    for (const target of topics(10)) await driver.send(target, request, cast(5_000))
    await peer.until(() => peer.nodes.received.length === 10)
    expect(sessions(peer)).toBe(4)
    expect(peer.violations).toEqual([])
  })

  it('more addresses than all sessions have room for - refused at once and by name, and the others go on', async () => {
    const peer = await scene.peer({ handleMax: 2, channelMax: 2 })
    const driver = await scene.driver(peer)
    const startedAt = performance.now()
    const ends = await Promise.all(topics(15).map((target) => ending(driver.send(target, request, cast(20_000)))))
    expect(performance.now() - startedAt).toBeLessThan(10_000)
    const refused = ends.filter((end) => end instanceof Error)
    expect(refused).toHaveLength(6)
    for (const error of refused)
      expect(error).toMatchObject({
        code: 'OSLO_MESSAGING_DRIVER',
        delivery: 'not-sent',
        message: expect.stringContaining('no more links') as string,
      })
    const [served] = topics(15).filter((_, n) => ends[n] === undefined)
    if (served === undefined) throw new Error('none was sent')
    await driver.send(served, request, cast(5_000))
    expect(peer.violations).toEqual([])
  })

  it('a number is used again when its link has ended', { timeout: 20_000 }, async () => {
    const peer = await scene.peer({ handleMax: 0, channelMax: 0 })
    const driver = await scene.driver(peer, { default_sender_link_timeout: 1 })
    for (const target of topics(3)) {
      const send = (): Promise<unknown> => ending(driver.send(target, request, cast(1_000)))
      await expect.poll(send, { timeout: 6_000, interval: 300 }).toBeUndefined()
    }
    await peer.until(() => new Set(peer.nodes.received.map(({ address }) => address)).size === 3)
    for (const { address, message } of peer.nodes.received) expect(message.to).toBe(address)
    expect(peer.violations).toEqual([])
  })
})

describe('channel-max', () => {
  it('more listeners than sessions - they share, all answer, and one that goes takes no other with it', async () => {
    const peer = await scene.peer({ channelMax: 3 })
    const [server, client] = [await scene.driver(peer), await scene.driver(peer)]
    const listeners = []
    for (const { topic } of topics(20)) listeners.push(await serve(server, String(topic)))
    for (const target of topics(20)) expect(await client.send(target, request, within(5_000))).toEqual(pong)
    await listeners[0]?.close()
    for (const target of topics(20).slice(1)) expect(await client.send(target, request, within(5_000))).toEqual(pong)
    expect(server.health().status).toBe('ok')
    expect(peer.accepted).toBe(2)
    expect(peer.violations).toEqual([])
  })

  it('a listener that has no room in any session - refused at once and by name', async () => {
    const peer = await scene.peer({ channelMax: 0, handleMax: 1 })
    const driver = await scene.driver(peer)
    const startedAt = performance.now()
    const refused = await ending(
      driver.listen(new Target({ topic: 't', server: 's' }), {
        deadline: Deadline.after(20_000),
        prefetch: 1,
        onMessage: () => {},
      }),
    )
    expect(performance.now() - startedAt).toBeLessThan(5_000)
    expect(refused).toMatchObject({
      code: 'OSLO_MESSAGING_DRIVER',
      message: expect.stringContaining('no more links') as string,
    })
  })
})
