import { expect, it } from 'vitest'
import { run } from './support/small-service.ts'

it('a small service written from the README runs in process', async () => {
  const lines: string[] = []
  await run({ url: 'memory://' }, 'orders', (line) => lines.push(line))
  expect(lines.toSorted()).toEqual(['26 1970-01-01', 'orders.node1 order.placed {"item":"bolt"}'])
})
