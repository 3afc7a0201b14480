import { describe, expect, it } from 'vitest'
import { Deadline } from '@oslo-messaging/core/driver'
import { Outgoing } from '../../src/send/outgoing.ts'
import { OutgoingQueue } from '../../src/send/outgoing-queue.ts'

const owner = { isUp: true, error: undefined, release: () => {} }
const deadline = Deadline.after(null)

function fill(queue: OutgoingQueue, count: number, bytes = 10): Outgoing[] {
  return Array.from({ length: count }, (_, n) => {
    const record = { value: Buffer.from(String(n)) }
    const message = new Outgoing({ record, bytes, deadline, retries: null, owner })
    queue.add(message)
    return message
  })
}

const names = (messages: readonly Outgoing[]): string[] => messages.map(({ record }) => String(record.value))

describe('outgoing queue', () => {
  it('gives the oldest, as many as fit', () => {
    const queue = new OutgoingQueue()
    fill(queue, 7)
    expect(names(queue.take(3, Infinity))).toEqual(['0', '1', '2'])
    expect(names(queue.take(Infinity, 25))).toEqual(['3', '4'])
    expect(queue.size).toBe(2)
    fill(queue, 1)
    expect(names(queue.take(Infinity, Infinity))).toEqual(['5', '6', '0'])
    expect(queue.take(Infinity, Infinity)).toEqual([])
  })

  it('gives one that is larger than allowed alone', () => {
    const queue = new OutgoingQueue()
    fill(queue, 2, 500)
    expect(names(queue.take(10, 100))).toEqual(['0'])
    expect(queue.size).toBe(1)
  })

  it('passes over what was given up, wherever it stood', () => {
    const queue = new OutgoingQueue()
    const messages = fill(queue, 10)
    for (const at of [0, 3, 4, 9]) {
      const message = messages[at]
      if (message !== undefined) queue.forget(message)
    }
    expect(queue.size).toBe(6)
    expect(names(queue.take(2, Infinity))).toEqual(['1', '2'])
    const [, , , , , fifth] = messages
    if (fifth !== undefined) {
      queue.forget(fifth)
      queue.forget(fifth)
    }
    expect(queue.size).toBe(3)
    expect(names(queue.take(Infinity, Infinity))).toEqual(['6', '7', '8'])
    expect(queue.size).toBe(0)
  })

  it('what was taken is not forgotten a second time', () => {
    const queue = new OutgoingQueue()
    const [first] = fill(queue, 2)
    queue.take(1, Infinity)
    if (first !== undefined) queue.forget(first)
    expect(queue.size).toBe(1)
  })
})
