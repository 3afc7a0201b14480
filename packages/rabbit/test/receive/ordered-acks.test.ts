import { describe, expect, it } from 'vitest'
import { OrderedAcks } from '../../src/receive/ordered-acks.ts'
import type { ClientChannel } from '../../src/client/client.ts'

/** Records what reaches the broker: `3+` is everything up to 3. */
function channel() {
  const sent: string[] = []
  const port: Pick<ClientChannel, 'acknowledge' | 'reject'> = {
    acknowledge: (tag, multiple) => sent.push(`${tag}${multiple ? '+' : ''}`) > 0,
    reject: (tag, requeue) => sent.push(`${requeue ? 'requeue' : 'discard'} ${tag}`) > 0,
  }
  return { sent, port: port as ClientChannel }
}

describe('OrderedAcks', () => {
  it('sends one acknowledgement for all that are in order', () => {
    const { sent, port } = channel()
    const batch = new OrderedAcks(port)
    for (const tag of [1, 2, 3]) batch.acknowledge(tag)
    batch.flush()
    expect(sent).toEqual(['3+'])
  })

  it('never includes a delivery that is still in hand', () => {
    const { sent, port } = channel()
    const batch = new OrderedAcks(port)
    for (const tag of [1, 2, 4, 5]) batch.acknowledge(tag)
    batch.flush()
    expect(sent).toEqual(['2+', '4', '5'])
    batch.acknowledge(3)
    batch.acknowledge(6)
    batch.flush()
    expect(sent.slice(3)).toEqual(['6+'])
  })

  it('counts what was refused as settled, and never names it', () => {
    const { sent, port } = channel()
    const batch = new OrderedAcks(port)
    batch.acknowledge(1)
    batch.acknowledge(2)
    batch.reject(3, true)
    batch.flush()
    expect(sent).toEqual(['requeue 3', '2+'])
    batch.acknowledge(4)
    batch.flush()
    expect(sent.at(-1)).toBe('4')
  })

  it('flushes by itself at the end of the turn, once', async () => {
    const { sent, port } = channel()
    const batch = new OrderedAcks(port)
    batch.acknowledge(1)
    batch.acknowledge(2)
    expect(sent).toEqual([])
    await new Promise((resolve) => setImmediate(resolve))
    expect(sent).toEqual(['2+'])
  })
})
