import { Target } from '@oslo-messaging/core/driver'
import { describe, expect, it } from 'vitest'
import { cast, ending, oddScene, request } from '../support/scene.ts'

const scene = oddScene()
const topic = (name: string): Target => new Target({ topic: name })

describe('the links to the management node of RabbitMQ', () => {
  it.each([
    ['both', [true, false]],
    ['that of requests alone', [true]],
    ['that of responses alone', [false]],
  ] as const)(
    'are closed by the peer while nothing is asked (%s) - the next declaration opens others on the same connection',
    async (_which, closed) => {
      const peer = await scene.peer({ product: 'RabbitMQ', version: '4.0.5' })
      const driver = await scene.driver(peer)
      expect(await ending(driver.send(topic('one'), request, cast(5_000)))).toBeUndefined()
      for (const link of peer.links('/management'))
        if (closed.some((isIncoming) => isIncoming === link.isIncoming))
          link.detach({ condition: 'amqp:internal-error' })
      // An answer to something else tells that the client has heard of it.
      expect(await ending(driver.send(topic('one'), request, cast(5_000)))).toBeUndefined()
      await peer.until(() => peer.nodes.received.length === 2)
      expect(await ending(driver.send(topic('two'), request, cast(5_000)))).toBeUndefined()
      expect(peer.declared.at(-1)).toBe('PUT /queues/unicast.openstack.two')
      expect([peer.accepted, peer.violations]).toEqual([1, []])
    },
  )

  it('are closed by the peer before it has answered - the message is declared again, and sent', async () => {
    const peer = await scene.peer({ product: 'RabbitMQ', version: '4.0.5' })
    const driver = await scene.driver(peer)
    let asked = 0
    peer.options.take = ({ name, channel, fields }, connection) => {
      const link = connection.sessions.get(channel)?.links.get(fields.handle ?? -1)
      if (name !== 'transfer' || link?.address !== '/management' || asked === 1) return false
      asked += 1
      for (const each of connection.links('/management')) each.detach()
      return true
    }
    expect(await ending(driver.send(topic('one'), request, cast(5_000)))).toBeUndefined()
    await peer.until(() => peer.nodes.received.length === 1)
    expect([asked, peer.accepted]).toEqual([1, 1])
  })
})
