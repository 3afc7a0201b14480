import { expect, it } from 'vitest'
import { Lane } from '../../src/driver/lane.ts'

it('Lane - whoever leaves before its turn lets nobody past those who came earlier', async () => {
  const lane = new Lane()
  const order: string[] = []
  const [first, second, third] = [lane.enter(), lane.enter(), lane.enter()]
  const gone = Promise.all([first.before.then(() => order.push('first')), third.before.then(() => order.push('third'))])
  second.leave()
  second.leave()
  await first.before
  await new Promise((resolve) => setImmediate(resolve))
  expect(order).toEqual(['first'])
  first.leave()
  await gone
  expect(order).toEqual(['first', 'third'])
})
