import { describe, expect, it } from 'vitest'
import { DeliveryBook, type OpenDelivery } from '../../src/driver/delivery-book.ts'

function bookOf(prefetch: number, onRoom?: () => void) {
  const told: string[] = []
  const out = new Map<string, OpenDelivery>()
  const book = new DeliveryBook({ prefetch, ...(onRoom === undefined ? {} : { onRoom }) })
  const add = (name: string): void =>
    book.add({
      settle: (how) => void told.push(`${how} ${name}`),
      deliver: (delivery) => void out.set(name, delivery),
    })
  return { book, told, out, add }
}

describe('DeliveryBook', () => {
  it('delivers no more than prefetch, in order, and the next one for each settled', () => {
    const { book, out, add } = bookOf(2)
    for (const name of ['a', 'b', 'c', 'd']) add(name)
    expect([...out.keys()]).toEqual(['a', 'b'])
    expect([book.outstanding, book.waiting, book.room]).toEqual([2, 2, 0])
    out.get('b')?.acknowledge()
    expect([...out.keys()]).toEqual(['a', 'b', 'c'])
  })

  it('settles once: the first of acknowledge and requeue counts', () => {
    const { told, out, add } = bookOf(1)
    add('a')
    out.get('a')?.requeue()
    out.get('a')?.acknowledge()
    out.get('a')?.requeue()
    expect(told).toEqual(['requeue a'])
    expect(out.get('a')?.isOpen).toBe(false)
  })

  it('leave frees the place and tells the broker nothing', () => {
    const { told, out, add } = bookOf(1)
    add('a')
    add('b')
    out.get('a')?.leave()
    expect(told).toEqual([])
    expect([...out.keys()]).toEqual(['a', 'b'])
  })

  it('after stop nothing is delivered, what waits and what comes goes back, and what is out can be settled', () => {
    const { book, told, out, add } = bookOf(1)
    for (const name of ['a', 'b', 'c']) add(name)
    book.stop()
    expect(told).toEqual(['requeue b', 'requeue c'])
    add('d')
    out.get('a')?.acknowledge()
    expect(told).toEqual(['requeue b', 'requeue c', 'requeue d', 'acknowledge a'])
    expect([...out.keys()]).toEqual(['a'])
  })

  it('close hands back what is out', () => {
    const { book, told, out, add } = bookOf(2)
    add('a')
    add('b')
    out.get('a')?.acknowledge()
    book.close()
    out.get('b')?.acknowledge()
    expect(told).toEqual(['acknowledge a', 'requeue b'])
  })

  it('close hands everything back in the order in which it came', () => {
    const { book, told, add } = bookOf(1)
    for (const name of ['a', 'b', 'c']) add(name)
    book.close()
    expect(told).toEqual(['requeue a', 'requeue b', 'requeue c'])
  })

  it('what a lost connection took is aborted, settled no more, and counts no more', () => {
    const { book, told, out, add } = bookOf(1)
    add('a')
    add('b')
    const reason = new Error('cut')
    book.lose(reason)
    expect(out.get('a')?.signal.reason).toBe(reason)
    out.get('a')?.acknowledge()
    expect(told).toEqual([])
    add('a again')
    expect([...out.keys()]).toEqual(['a', 'a again'])
    expect(book.waiting).toBe(0)
  })

  it('asks for more when there is room, not from within a delivery', () => {
    let asked = 0
    const { out, add } = bookOf(2, () => (asked += 1))
    add('a')
    out.get('a')?.acknowledge()
    expect(asked).toBe(1)
  })

  it('a handler that settles at once delivers any number without growing the stack', () => {
    const book = new DeliveryBook({ prefetch: 1 })
    let held: OpenDelivery | undefined
    let count = 0
    book.add({ settle: () => {}, deliver: (delivery) => (held = delivery) })
    for (let n = 0; n < 50_000; n += 1)
      book.add({
        settle: () => {},
        deliver: (delivery) => {
          count += 1
          delivery.acknowledge()
        },
      })
    held?.acknowledge()
    expect(count).toBe(50_000)
  })

  it('a settlement that throws or rejects harms nobody', async () => {
    const book = new DeliveryBook({ prefetch: 1 })
    for (const settle of [
      () => Promise.reject(new Error('gone')),
      () => {
        throw new Error('gone')
      },
    ])
      book.add({ settle, deliver: (delivery) => delivery.acknowledge() })
    await new Promise((resolve) => setImmediate(resolve))
    expect(book.outstanding).toBe(0)
  })

  it('refuses a prefetch that is none', () => {
    expect(() => new DeliveryBook({ prefetch: 0 })).toThrow('prefetch must be at least 1, not 0')
  })
})
