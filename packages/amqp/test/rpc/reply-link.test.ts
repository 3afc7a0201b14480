import { Deadline, type Driver, Target } from '@oslo-messaging/core/driver'
import { createManualClock, type ManualClock } from '@oslo-messaging/core/testing'
import { describe, expect, it } from 'vitest'
import { openDriver } from '../support/open-driver.ts'
import { type Peer, startPeer } from '../support/peer.ts'
import { type Frame, openTap } from '../support/tap.ts'

const CALLS = 20
const options = {
  waitForReply: true,
  expiresInMs: 5_000,
  callMonitorTimeoutMs: null,
  retries: 0,
  atLeastOnce: false,
}
/** Deliveries each of the client's dispositions stands for: it receives nothing but replies. */
const ranges = (frames: readonly Frame[]): number[] =>
  frames
    .filter(({ method }) => method === 'disposition')
    .map(({ fields: { first, last } }) => Number(last ?? first) - Number(first) + 1)

interface Scene {
  readonly peer: Peer
  readonly client: Driver
  readonly clock: ManualClock
  readonly accepted: () => number[]
}

/** A client that has had its replies, on a clock that stands still. */
async function afterCalls(then: (scene: Scene) => Promise<void>): Promise<void> {
  const peer = await startPeer()
  const tap = await openTap(peer.port)
  const clock = createManualClock()
  const server = await openDriver(`amqp://127.0.0.1:${peer.port}/`)
  const client = await openDriver(`amqp://127.0.0.1:${tap.port}/`, {}, { clock })
  try {
    await server.listen(new Target({ topic: 't', server: 's' }), {
      deadline: Deadline.after(5_000),
      prefetch: CALLS,
      onMessage: (incoming) => {
        incoming.acknowledge()
        void incoming.reply({ result: 'pong', failure: null })
      },
    })
    const request = { context: {}, message: { method: 'm', args: {} } }
    for (let n = 0; n < CALLS; n += 1)
      await client.send(new Target({ topic: 't' }), request, { ...options, deadline: Deadline.after(5_000, { clock }) })
    await then({ peer, client, clock, accepted: () => ranges(tap.frames) })
  } finally {
    await Promise.all([client.close(), server.close()])
    await tap.close()
    await peer.close()
  }
}

describe('replies', () => {
  it('are accepted together a moment later, and not one by one', async () => {
    await afterCalls(async ({ peer, clock, accepted }) => {
      expect(accepted()).toEqual([])
      await clock.advance(50)
      expect(await peer.acceptedBy('dynamic.', CALLS)).toBe(CALLS)
      expect(accepted()).toEqual([CALLS])
    })
  })

  it('that were taken are accepted before their link is closed', async () => {
    await afterCalls(async ({ client, accepted }) => {
      await client.close()
      expect(accepted()).toEqual([CALLS])
    })
  })
})
