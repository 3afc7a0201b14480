import type { Profiler } from 'node:inspector'
import { expect, it } from 'vitest'
import { callTree, flamePage } from '../src/profile/flame.ts'
import { recordProfile } from '../src/profile/record.ts'

const frame = (functionName: string, url = '') => ({ functionName, scriptId: '1', url, lineNumber: 6, columnNumber: 0 })
const PROFILE: Profiler.Profile = {
  nodes: [
    { id: 1, callFrame: frame('(root)'), children: [2, 5] },
    { id: 2, callFrame: frame('send', 'file:///home/somebody/packages/core/dist/a.js'), children: [3, 4] },
    { id: 3, callFrame: frame('write', 'node:net') },
    { id: 4, callFrame: frame('encode', 'file:///home/somebody/node_modules/amqplib/lib/b.js') },
    { id: 5, callFrame: frame('(idle)') },
  ],
  startTime: 0,
  endTime: 1000,
  samples: [2, 3, 3, 4, 5],
  timeDeltas: [100, 300, 300, 200, 1000],
}

it('callTree - times of a function and of what it called; idle time is none', () => {
  const root = callTree(PROFILE)
  expect(root.total).toBe(900)
  const [send] = [...root.callees.values()]
  expect(send).toMatchObject({ name: 'send', where: 'packages/core/dist/a.js:7', self: 100, total: 900 })
  expect([...(send?.callees.values() ?? [])].map(({ name, total }) => [name, total])).toEqual([
    ['write', 600],
    ['encode', 200],
  ])
})

it('flamePage - a box as wide as its share, and nothing that names a machine', () => {
  const page = flamePage(callTree(PROFILE), 'core', 'npm run bench -- profile core')
  expect(page).toContain('<title>encode amqplib/lib/b.js:7 22.2 %, 22.2 % itself</title>')
  expect(page.match(/<rect /g)).toHaveLength(4)
  expect(page).not.toMatch(/somebody|<script|src=|href=/)
})

it('recordProfile - sees the function that takes the time', async () => {
  const profile = await recordProfile(async () => {
    const end = performance.now() + 60
    const burnOutInCircles = (): number => {
      let sum = 0
      while (performance.now() < end) sum += Math.sqrt(sum + 1)
      return sum
    }
    burnOutInCircles()
  })
  const names = profile.nodes.map(({ callFrame }) => callFrame.functionName)
  expect(names).toContain('burnOutInCircles')
})
