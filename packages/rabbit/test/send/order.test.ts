import { Target } from '@oslo-messaging/core/driver'
import { expect, it } from 'vitest'
import { method, short } from '../support/amqp-frames.ts'
import { openReal } from '../support/broker.ts'
import { OddPeer } from '../support/odd-peer.ts'
import { castOptions } from '../support/open-driver.ts'

const target = new Target({ topic: 'order', fanout: true })
const request = (n: number) => ({ context: {}, message: { method: 'm', args: { n } } })

/** How sending is held up, and what ends that. */
const OBSTACLES: Readonly<Record<string, (peer: OddPeer) => () => void>> = {
  'the broker has blocked the connection': (peer) => {
    peer.connections[0]?.send(method(0, 'connection.blocked', short('memory')))
    return () => peer.connections[0]?.send(method(0, 'connection.unblocked'))
  },
  'the connection is gone': (peer) => {
    let admit = (): void => {}
    peer.onMethod = ({ name, answer }) => {
      if (name !== 'connection.start') return false
      admit = answer
      return true
    }
    for (const { socket } of peer.open) socket.destroy()
    return () => {
      peer.onMethod = () => false
      admit()
    }
  },
}

it.each(Object.keys(OBSTACLES).flatMap((obstacle) => [64, 4096].map((places) => ({ obstacle, places }))))(
  'casts that are begun while $obstacle arrive before those begun after them ($places places)',
  async ({ obstacle, places }) => {
    const peer = await OddPeer.start()
    const driver = openReal(peer.url, {
      options: { rabbit_retry_interval: 0.05 },
      settings: { maxOutstandingMessages: places },
    })
    await driver.send(target, request(-1), castOptions())
    peer.queues.set('all', { messages: [], consumers: [] })
    peer.exchanges.get('order_fanout')?.push({ queue: 'all', key: '' })
    const goOn = OBSTACLES[obstacle]?.(peer)
    await expect.poll(() => driver.health().status).not.toBe('ok')
    const sent: Promise<unknown>[] = []
    const send = (): void =>
      void sent.push(driver.send(target, request(sent.length), castOptions({ timeoutMs: 15_000 })))
    for (let n = 0; n < 600; n += 1) send()
    await expect.poll(() => peer.connections.length + Number(obstacle.includes('blocked'))).toBeGreaterThan(1)
    goOn?.()
    // A sender that goes on beside them, one in each turn of the event loop.
    for (let n = 0; n < 600; n += 1) {
      send()
      await new Promise((resolve) => setImmediate(resolve))
    }
    await Promise.all(sent)
    const order = (peer.queues.get('all')?.messages ?? []).map(({ body }) =>
      Number(/"n\\*":\s*(\d+)/.exec(String(body))?.[1]),
    )
    expect(new Set(order).size).toBe(1200)
    const overtaken = order.filter((n, at) => at > 0 && n < (order[at - 1] ?? 0))
    expect(overtaken).toEqual([])
    await driver.close()
    await peer.close()
  },
)
