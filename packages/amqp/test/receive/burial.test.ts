import { randomUUID } from 'node:crypto'
import {
  createDriverRegistry,
  getNotificationListener,
  getNotificationTransport,
  loadConfig,
  Notifier,
  Target,
} from '@oslo-messaging/core'
import { createManualClock } from '@oslo-messaging/core/testing'
import { describe, expect, it, onTestFinished } from 'vitest'
import { amqpDriver } from '../../src/definition.ts'
import { encodeMessage } from '../../src/wire/encode-message.ts'
import type { OddPeer } from '../support/odd-peer.ts'
import { BAD_MESSAGES, readMessage } from '../support/odd-peer/message.ts'
import type { OddPeerOptions } from '../support/odd-peer/options.ts'
import { oddScene } from '../support/scene.ts'

const scene = oddScene()

/** A listener that buries what fails at the first attempt, with an endpoint that fails for each payload `bad`; the
 *  clock of its transport moves by hand. */
async function burying(options: OddPeerOptions = {}) {
  const peer = await scene.peer(options)
  const clock = createManualClock()
  const transport = await getNotificationTransport(
    await loadConfig({ overrides: { oslo_messaging_amqp: { addressing_mode: 'legacy' } } }),
    {
      url: `amqp://127.0.0.1:${peer.port}/`,
      registry: createDriverRegistry({ drivers: [amqpDriver], discover: false }),
      logger: { debug() {}, info() {}, warn() {}, error() {} },
      clock,
    },
  )
  onTestFinished(async () => {
    await Promise.all([transport.close({ timeoutMs: null }), clock.advance(60_000)])
  })
  const topic = `n-${randomUUID().slice(0, 8)}`
  const handled: unknown[] = []
  const endpoint = {
    info(_context: object, _publisher: string | null, _type: string | null, payload: unknown): void {
      handled.push(payload)
      if (payload === 'bad') throw new RangeError('cannot digest this')
    },
  }
  const onFailure = { attempts: 1, then: 'dead-letter' } as const
  await getNotificationListener(transport, [new Target({ topic })], [endpoint], { onFailure }).start()
  const notifier = new Notifier(transport, { driver: 'messagingv2', topics: [topic], timeoutMs: null })
  const address = `unicast.openstack.${topic}.info`
  return {
    peer,
    clock,
    handled,
    address,
    letters: `${address}.dead`,
    notify: async (payload: unknown) => await notifier.info({}, 'e', payload),
    outcomes: () => outcomesAt(peer, address),
  }
}

const outcomesAt = (peer: OddPeer, from: string): readonly string[] =>
  peer.nodes.outcomes.filter(({ address }) => address === from).map(({ type }) => type)

describe('under the policy dead-letter', () => {
  it('a letter that may not be sent to its address - is tried again after a second and is not handled again; others are handled', async () => {
    let refused = 0
    let isForbidden = true
    const { peer, clock, handled, letters, notify, outcomes } = await burying({
      refuse(address) {
        if (!address.endsWith('.dead') || !isForbidden) return undefined
        refused += 1
        return { condition: 'amqp:unauthorized-access', description: 'you may not write here' }
      },
    })
    await notify('bad')
    await peer.until(() => refused === 1)
    for (let n = 0; n < 50; n += 1) await notify(n)
    await expect.poll(() => handled.length).toBe(51)
    expect(refused).toBe(1)
    isForbidden = false
    await clock.advance(999)
    expect(peer.nodes.depth(letters)).toBe(0)
    await clock.advance(1)
    await peer.until(() => peer.nodes.depth(letters) === 1)
    await peer.until(() => outcomes().length === 51)
    expect(handled.filter((payload) => payload === 'bad')).toHaveLength(1)
  })

  it.each([
    ['no JSON', encodeMessage({ to: 't', body: 'no JSON' })],
    ['no object', encodeMessage({ to: 't', body: '[]' })],
    [
      'no oslo message',
      encodeMessage({ to: 't', body: '{"request": {"oslo.version": "2.0", "oslo.message": "no JSON"}}' }),
    ],
    ['a number of AMQP', Buffer.from([0x00, 0x53, 0x77, 0x53, 0x07])],
  ])('a body that is %s - is buried as it came, and the next one is handled', async (_name, payload) => {
    const { peer, handled, address, letters, notify, outcomes } = await burying()
    peer.nodes.put(address, payload)
    await peer.until(() => peer.nodes.depth(letters) === 1)
    await notify('good')
    await expect.poll(() => handled).toEqual(['good'])
    await peer.until(() => outcomes().length === 2)
    expect(outcomes()).toEqual(['accepted', 'accepted'])
    const letter = peer.nodes.received.find((received) => received.address === letters)
    expect(letter?.message.body).toEqual(readMessage(payload).body)
  })

  it.each(['empty', 'a null where a map belongs', 'a list that says it is larger than the message', 'no descriptor'])(
    'bytes of which no copy can be made (%s) - are rejected, for the broker to keep, and the next one is handled',
    async (name) => {
      const { peer, handled, address, letters, notify, outcomes } = await burying()
      peer.nodes.put(address, BAD_MESSAGES[name] ?? Buffer.of())
      await notify('good')
      await expect.poll(() => handled).toEqual(['good'])
      await peer.until(() => outcomes().length === 2)
      expect(outcomes()).toEqual(['rejected', 'accepted'])
      expect(peer.nodes.depth(letters)).toBe(0)
    },
  )
})
