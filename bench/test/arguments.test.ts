import { expect, it } from 'vitest'
import { isWanted, parseArguments, parseCommand, SUITES } from '../src/arguments.ts'
import { median, quantile } from '../src/statistics.ts'

it('parseArguments - takes suites, a file and quick in any order', () => {
  expect(parseArguments(['--quick', 'core', '--json', 'out.json'])).toEqual({
    suites: ['core'],
    json: 'out.json',
    html: undefined,
    quick: true,
    only: undefined,
  })
})

it.each([
  ['notify', [true, true, false]],
  ['notify:64', [false, true, false]],
  ['notify:6', [false, false, false]],
  ['call in process', [false, false, true]],
])('--only %s - picks its workloads', (text, expected) => {
  const { only } = parseArguments(['core', '--only', text])
  const workloads = [
    { name: 'notify', concurrency: 1 },
    { name: 'notify', concurrency: 64 },
    { name: 'call in process', concurrency: 1 },
  ]
  expect(workloads.map((workload) => isWanted(workload, only))).toEqual(expected)
  expect(workloads.every((workload) => isWanted(workload, undefined))).toBe(true)
})

it.each([[[]], [['nats']], [['core', '--fast']], [['core', '--only', '']]])(
  'parseArguments - %j is refused',
  (args) => {
    expect(() => parseArguments(args)).toThrow(TypeError)
  },
)

it('median and quantile - of even, odd and no values', () => {
  expect(median([3, 1, 2])).toBe(2)
  expect(median([4, 1, 2, 3])).toBe(2.5)
  expect(median([])).toBeNaN()
  expect(quantile([5, 1, 4, 2, 3], 0.5)).toBe(3)
  expect(quantile([5, 1, 4, 2, 3], 1)).toBe(5)
})

it('all - every suite, with a file and a page unless they are named otherwise', () => {
  expect(parseArguments(['all'])).toMatchObject({ suites: SUITES, json: 'bench.json', html: 'bench.html' })
  expect(parseArguments(['all', '--html', 'x.html'])).toMatchObject({ json: 'bench.json', html: 'x.html' })
  expect(() => parseArguments(['all', 'core'])).toThrow('There is no suite "all"')
})

it('parseCommand - compare, profile and allocations', () => {
  expect(parseCommand(['compare', 'a', 'b'])).toEqual({ command: 'compare', before: 'a', after: 'b' })
  expect(parseCommand(['profile', 'core', '--out', 'f', '--quick'])).toMatchObject({
    command: 'profile',
    suites: ['core'],
    out: 'f',
    quick: true,
  })
  expect(parseCommand(['allocations', '--record'])).toEqual({ command: 'allocations', record: true })
  for (const args of [['compare', 'a'], ['profile'], ['profile', 'core', 'tracing'], ['allocations', 'x']])
    expect(() => parseCommand(args)).toThrow(TypeError)
})
