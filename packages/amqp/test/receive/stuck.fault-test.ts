import { Deadline, type IncomingNotification, Target } from '@oslo-messaging/core/driver'
import { expect, it } from 'vitest'
import { messageBytes } from '../support/odd-peer/message.ts'
import { oddScene } from '../support/scene.ts'

const scene = oddScene()
const COUNT = 70_000

it(
  `one handler that never ends takes one place of the credit: ${COUNT} notifications behind it are handled`,
  { timeout: 200_000 },
  async () => {
    const peer = await scene.peer()
    const driver = await scene.driver(peer)
    let handled = 0
    let stuck: IncomingNotification | undefined
    await driver.listenForNotifications([{ target: new Target({ topic: 'n' }), priority: 'info' }], {
      deadline: Deadline.after(5_000),
      prefetch: 100,
      pool: null,
      allowRequeue: false,
      onMessage(incoming) {
        if (stuck === undefined) {
          stuck = incoming
          return
        }
        handled += 1
        incoming.acknowledge()
      },
    })
    const bytes = messageBytes({ body: '{"request": {"event_type": "e"}, "context": {}}' })
    for (let sent = 0; sent <= COUNT; sent += 1) {
      peer.nodes.put('unicast.openstack.n.info', bytes)
      if (sent % 1_000 === 0) await expect.poll(() => handled, { timeout: 20_000 }).toBeGreaterThan(sent - 1_200)
    }
    await expect.poll(() => handled, { timeout: 60_000 }).toBe(COUNT)
    expect(peer.violations).toEqual([])
  },
)
