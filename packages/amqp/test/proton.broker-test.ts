import { LAST_PYTHON_WITH_AMQP10, pythonWithLibrary, skipOrFail } from '@oslo-messaging/brokers'
import { Target } from '@oslo-messaging/core/driver'
import { describe, expect, it } from 'vitest'
import { openDriver } from './support/open-driver.ts'
import { runPeerSuite } from './support/peer-suite.ts'
import { startProton } from './support/proton.ts'
import { ending, pong, request, serve, within } from './support/scene.ts'

// The second implementation of AMQP 1.0 that shares no code with the one this driver stands on.

const python = await skipOrFail(pythonWithLibrary(LAST_PYTHON_WITH_AMQP10))

describe.skipIf(python === undefined).each(['router', 'broker'] as const)('qpid-proton as a %s', (kind) => {
  runPeerSuite(() => startProton(kind))
})

it.skipIf(python === undefined)(
  'calls that find a server of a router busy are blocked meanwhile, and go on when it takes more',
  async () => {
    const peer = await startProton('router')
    const server = await openDriver(peer.url)
    const client = await openDriver(peer.url)
    try {
      const held: (() => void)[] = []
      let isBusy = true
      await serve(server, 'busy', (incoming) => {
        const answer = (): void => {
          incoming.acknowledge()
          void incoming.reply(pong)
        }
        if (isBusy) held.push(answer)
        else answer()
      })
      const calls = Array.from({ length: 1_000 }, () =>
        ending(client.send(new Target({ topic: 'busy' }), request, within(30_000))),
      )
      await expect.poll(() => client.health().status, { timeout: 10_000 }).toBe('blocked')
      isBusy = false
      for (const answer of held) answer()
      expect((await Promise.all(calls)).filter((end) => end instanceof Error)).toEqual([])
      expect(client.health().status).toBe('ok')
    } finally {
      await Promise.all([server.close(), client.close()])
      await peer.close()
    }
  },
)
