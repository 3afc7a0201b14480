import { Deadline, Target } from '@oslo-messaging/core/driver'
import { createManualClock } from '@oslo-messaging/core/testing'
import { expect, it } from 'vitest'
import { openDriver } from '../support/open-driver.ts'
import { ending, oddScene, pong, request, within } from '../support/scene.ts'

const scene = oddScene()

it('a listener whose attaches the peer does not answer once - they are given up after ten seconds, and tried again', async () => {
  const peer = await scene.peer()
  const clock = createManualClock()
  const client = await scene.driver(peer)
  const server = await openDriver(`amqp://127.0.0.1:${peer.port}/`, { addressing_mode: 'legacy' }, { clock })
  try {
    const options = { deadline: Deadline.after(60_000, { clock }), prefetch: 10 }
    await server.listen(new Target({ topic: 't', server: 's' }), {
      ...options,
      onMessage(incoming) {
        incoming.acknowledge()
        void incoming.reply(pong)
      },
    })
    let unanswered = 0
    peer.options.take = ({ name, fields }) => {
      if (name !== 'attach' || fields.role !== true || unanswered === 3) return false
      unanswered += 1
      return true
    }
    for (const link of peer.links('unicast.openstack.t')) if (!link.isIncoming) link.detach()
    await peer.until(() => unanswered === 3)
    await clock.advance(10_000)
    expect(server.health().components.find(({ kind }) => kind === 'listener')?.state).toBe('recovering')
    // The waits between attempts are random, and a second at most.
    const back = peer.until(() => peer.nodes.consumers('unicast.openstack.t') === 1, 10_000)
    for (let n = 0; n < 20; n += 1) await clock.advance(100)
    await back
    expect(await ending(client.send(new Target({ topic: 't' }), request, within(5_000)))).toEqual(pong)
    expect(server.health().status).toBe('ok')
  } finally {
    await server.close({ signal: AbortSignal.timeout(100) })
  }
})

it('a send whose first attach the peer does not answer - it is attached again, and sent before its deadline', async () => {
  const peer = await scene.peer()
  const clock = createManualClock()
  const client = await openDriver(`amqp://127.0.0.1:${peer.port}/`, { addressing_mode: 'legacy' }, { clock })
  try {
    let unanswered = 0
    peer.options.take = ({ name }) => {
      if (name !== 'attach' || unanswered === 1) return false
      unanswered += 1
      return true
    }
    const sent = ending(
      client.send(new Target({ topic: 't' }), request, {
        ...within(60_000, { waitForReply: false, expiresInMs: null }),
        deadline: Deadline.after(60_000, { clock }),
      }),
    )
    await peer.until(() => unanswered === 1)
    await clock.advance(10_000)
    const arrived = peer.until(() => peer.nodes.received.length === 1)
    for (let n = 0; n < 20; n += 1) await clock.advance(100)
    await arrived
    expect(await sent).toBeUndefined()
  } finally {
    await client.close({ signal: AbortSignal.timeout(100) })
  }
})
