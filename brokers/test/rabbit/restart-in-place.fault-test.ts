import { once } from 'node:events'
import net from 'node:net'

import { afterAll, describe, expect, it } from 'vitest'

import { poll } from '../../src/deadline.ts'
import { skipOrFail } from '../../src/skip.ts'
import { startBroker } from '../../src/start.ts'

describe('A quick restart of RabbitMQ', async () => {
  const rabbit = await skipOrFail(startBroker('rabbit'))
  afterAll(() => rabbit?.close())

  describe.skipIf(rabbit === undefined)('that was started here', () => {
    const started = rabbit as NonNullable<typeof rabbit>

    it('says why the broker does not come up', async () => {
      const [node = { host: '', port: 0 }] = started.nodes
      const restarted = started.restart().then(
        () => 'restarted',
        (reason: unknown) => String(reason),
      )
      const other = await listenInstead(node)
      expect(await restarted).toMatch(/^BrokerStartFailed: .* after a restart.*eaddrinuse/s)
      other.close()
    }, 60_000)
  })
})

/** Takes the port of a node in the moment in which the node lets it go. */
async function listenInstead(at: { readonly host: string; readonly port: number }): Promise<net.Server> {
  return await poll(
    async () => {
      const server = net.createServer((socket) => socket.destroy())
      const listening = once(server, 'listening').then(
        () => true,
        () => false,
      )
      server.listen(at.port, at.host)
      return (await listening) ? server : undefined
    },
    { timeoutMs: 20_000, everyMs: 1, late: () => new Error(`The node kept its port ${at.port}`) },
  )
}
