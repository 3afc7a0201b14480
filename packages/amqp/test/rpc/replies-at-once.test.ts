import { Target } from '@oslo-messaging/core/driver'
import { expect, it } from 'vitest'
import { ending, oddScene, pong, request, serve, within } from '../support/scene.ts'

const scene = oddScene()

it(
  '600 calls at once, answered 300 in one turn, over a router that drops replies it has no credit for - all come back',
  {
    timeout: 40_000,
  },
  async () => {
    const peer = await scene.peer({ keepsNothing: (address) => address.startsWith('dynamic.') })
    const [server, client] = [await scene.driver(peer), await scene.driver(peer)]
    const held: (() => unknown)[] = []
    await serve(server, 't', (incoming) => {
      incoming.acknowledge()
      held.push(() => incoming.reply(pong))
      if (held.length === 300) for (const reply of held.splice(0)) void reply()
    })
    const calls = Array.from({ length: 600 }, () =>
      ending(client.send(new Target({ topic: 't' }), request, within(30_000))),
    )
    const lost = (await Promise.all(calls)).filter((end) => end instanceof Error)
    expect(lost.length).toBe(0)
    expect(peer.violations).toEqual([])
  },
)
