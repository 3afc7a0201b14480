import { type IncomingRequest, Target } from '@oslo-messaging/core/driver'
import { expect, it } from 'vitest'
import { openReal } from '../support/broker.ts'
import { OddPeer } from '../support/odd-peer.ts'
import { callOptions, listenOptions } from '../support/open-driver.ts'

it("ack: 'after' - a reply of which nobody knows whether the broker has it is sent again, and only then is its request acknowledged", async () => {
  const peer = await OddPeer.start()
  const driver = openReal(peer.url, { options: { rabbit_retry_interval: 0.05 }, settings: { ack: 'after' } })
  const target = new Target({ topic: 't' })
  const answer = (request: IncomingRequest): void => {
    request.acknowledge()
    void request.reply({ result: 7, failure: null })
  }
  await driver.listen(target.with({ server: 'a' }), listenOptions<IncomingRequest>(answer))
  const events: string[] = []
  const replyQueues = (): readonly string[] => [...peer.queues.keys()].filter((name) => name.startsWith('reply_'))
  peer.onMethod = ({ name, entity, connection, channel }) => {
    if (name === 'basic.publish' && replyQueues().includes(entity)) {
      events.push('reply')
      if (events.length > 1) return false
      // Neither stored nor confirmed: the connection breaks.
      connection.socket.destroy()
      return true
    }
    // The listener's channel, not that of replies.
    const isListener = peer.queues
      .get('t')
      ?.consumers.some((each) => each.connection === connection && each.channel === channel)
    if (name === 'basic.ack' && isListener === true) events.push('ack')
    return false
  }
  const request = { context: {}, message: { method: 'm', args: {} } }
  expect(await driver.send(target, request, callOptions())).toMatchObject({ result: 7 })
  await expect.poll(() => events).toEqual(['reply', 'reply', 'ack'])
  await driver.close()
  await peer.close()
})
