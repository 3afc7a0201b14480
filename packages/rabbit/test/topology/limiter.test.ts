import { describe, expect, it } from 'vitest'
import { Limiter } from '../../src/topology/limiter.ts'

describe('Limiter', () => {
  it('lets so many in at a time, in the order they came, and goes on after a failure', async () => {
    const limiter = new Limiter(2, 10_000)
    const began: number[] = []
    let inside = 0
    let most = 0
    const work = async (n: number) =>
      await limiter.pass(async () => {
        began.push(n)
        inside += 1
        most = Math.max(most, inside)
        await new Promise((resolve) => setImmediate(resolve))
        inside -= 1
        if (n === 1) throw new Error('one fails')
        return n
      })
    const outcomes = await Promise.allSettled([0, 1, 2, 3, 4].map(work))
    expect(began).toEqual([0, 1, 2, 3, 4])
    expect(most).toBe(2)
    expect(outcomes.map(({ status }) => status)).toEqual([
      'fulfilled',
      'rejected',
      'fulfilled',
      'fulfilled',
      'fulfilled',
    ])
  })

  it('work that takes too long goes on beside the others and holds up nobody', async () => {
    const limiter = new Limiter(1, 20)
    let finish = (): void => {}
    const slow = limiter.pass(async () => {
      await new Promise<void>((resolve) => {
        finish = resolve
      })
      return 'slow'
    })
    expect(await limiter.pass(async () => 'quick')).toBe('quick')
    finish()
    expect(await slow).toBe('slow')
    // Its place was given up once, and not a second time when it ended.
    const order: string[] = []
    await Promise.all(['a', 'b'].map(async (name) => await limiter.pass(async () => void order.push(name))))
    expect(order).toEqual(['a', 'b'])
  })
})
