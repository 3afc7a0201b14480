import { Deadline, type Driver, type IncomingRequest, Target } from '@oslo-messaging/core/driver'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { openDriver } from '../support/open-driver.ts'
import { type Peer, startPeer } from '../support/peer.ts'

const target = new Target({ topic: 't' })
const ADDRESS = 'unicast.openstack.t'
const request = { context: {}, message: { method: 'echo', args: { a: 1 } } }
const options = (timeoutMs = 5_000, retries: number | null = null, signal?: AbortSignal) => ({
  waitForReply: true,
  deadline: Deadline.after(timeoutMs, { signal }),
  expiresInMs: timeoutMs,
  callMonitorTimeoutMs: null,
  retries,
  atLeastOnce: false,
})

let peer: Peer
let client: Driver
let server: Driver
let isAnswering: boolean

/** One call has been answered, so that every link is open and has credit: what comes now goes out without waiting for
 *  anything. */
beforeEach(async () => {
  isAnswering = true
  peer = await startPeer()
  const url = `amqp://127.0.0.1:${peer.port}/`
  ;[client, server] = await Promise.all([openDriver(url), openDriver(url)])
  await server.listen(new Target({ topic: 't', server: 's' }), {
    deadline: Deadline.after(5_000),
    prefetch: 4,
    onMessage: (incoming: IncomingRequest) => {
      incoming.acknowledge()
      if (isAnswering) void incoming.reply({ result: incoming.message['args'], failure: null })
    },
  })
  await client.send(target, request, options())
})

afterEach(async () => {
  await Promise.all([client.close(), server.close()])
  await peer.close()
})

describe('a call over open links', () => {
  it('is sent again when the peer hands it back', async () => {
    peer.outcomes.set(ADDRESS, ['release'])
    await expect(client.send(target, request, options())).resolves.toEqual({ result: { a: 1 }, failure: null })
    expect(peer.received.filter(({ address }) => address === ADDRESS).length).toBe(3)
  })

  it('fails when the peer hands it back and may not be asked again', async () => {
    peer.outcomes.set(ADDRESS, ['release'])
    const call = client.send(target, request, options(5_000, 0))
    await expect(call).rejects.toMatchObject({
      code: 'OSLO_MESSAGING_DELIVERY',
      delivery: 'not-sent',
      attempts: 1,
    })
  })

  it('fails at once when the peer refuses it', async () => {
    peer.outcomes.set(ADDRESS, ['reject'])
    const call = client.send(target, request, options())
    await expect(call).rejects.toMatchObject({ delivery: 'not-sent', retryable: false })
    await expect(call).rejects.toThrow('The peer rejected it: amqp:internal-error: refused')
  })

  it('times out when nobody answers, and says how far it came', async () => {
    isAnswering = false
    const call = client.send(target, request, options(300))
    await expect(call).rejects.toMatchObject({ code: 'OSLO_MESSAGING_TIMEOUT', phase: 'reply', delivery: 'confirmed' })
  })

  it('ends with the reason of its signal', async () => {
    isAnswering = false
    const controller = new AbortController()
    const call = client.send(target, request, options(5_000, null, controller.signal))
    const reason = new Error('no longer wanted')
    controller.abort(reason)
    await expect(call).rejects.toBe(reason)
  })

  it('ends when the connection is lost, without a second request', async () => {
    isAnswering = false
    const before = peer.received.length
    const call = client.send(target, request, options())
    await expect.poll(() => peer.received.length).toBe(before + 1)
    peer.reset()
    await expect(call).rejects.toMatchObject({ code: 'OSLO_MESSAGING_REPLY_PATH_LOST' })
    expect(peer.received.length).toBe(before + 1)
  })

  it('two thousand at once all come back, each with its own answer', async () => {
    const calls = Array.from({ length: 2_000 }, (_, n) =>
      client.send(target, { context: {}, message: { method: 'echo', args: { n } } }, options(30_000)),
    )
    const replies = await Promise.all(calls)
    expect(replies.map((reply) => reply?.result)).toEqual(calls.map((_, n) => ({ n })))
  })
})
