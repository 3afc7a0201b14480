import { expect, it } from 'vitest'
import { oddScene, serve } from '../support/scene.ts'

const scene = oddScene()

it('a listener that was stopped, and whose session the peer ends then, gives no credit when it is attached again', async () => {
  const peer = await scene.peer()
  const server = await scene.driver(peer)
  const listener = await serve(server, 't')
  const haveCredit = (credit: number): boolean =>
    ['unicast.openstack.t', 'exclusive.openstack.t.s', 'broadcast.openstack.t.all'].every((address) =>
      peer.links(address).every((link) => link.credit === credit),
    )
  await peer.until(() => haveCredit(100))
  await listener.stop()
  await peer.until(() => haveCredit(0))
  let given = 0
  peer.options.take = ({ name, fields }) => {
    if (name === 'flow' && fields.handle !== undefined) given = Math.max(given, fields.linkCredit ?? 0)
    return false
  }
  peer.links('unicast.openstack.t')[0]?.session.end({ condition: 'amqp:internal-error' })
  await peer.until(() => peer.nodes.consumers('unicast.openstack.t') === 0)
  await peer.until(() => peer.nodes.consumers('unicast.openstack.t') === 1)
  await expect.poll(() => server.health().status).toBe('ok')
  expect(given).toBe(0)
})
