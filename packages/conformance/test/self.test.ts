import { TransportURL } from '@oslo-messaging/core'
import { NO_CAPABILITIES } from '@oslo-messaging/core/driver'
import {
  createDriverContext,
  createFaults,
  createMemoryBroker,
  createMemoryDriver,
  memoryDriver,
} from '@oslo-messaging/core/testing'
import { describe, expect, it } from 'vitest'
import {
  type ConformanceCase,
  conformanceChapters,
  type ConformanceOptions,
  formatReport,
  runCase,
  runDriverConformance,
} from '../src/index.ts'
import { type Broken, brokenDrivers } from './support/broken-drivers.ts'

const cases: readonly ConformanceCase[] = Object.values(conformanceChapters).flat()
const url = TransportURL.parse('memory://')

/** A suite's options over an in-process driver with one fault. */
function optionsFor(broken: Broken): ConformanceOptions {
  const faults = createFaults()
  const broker = createMemoryBroker()
  const elsewhere = createMemoryBroker()
  const sabotage = broken.driver?.() ?? ((driver) => driver)
  return {
    describe,
    it,
    capabilities: { ...memoryDriver.capabilities, ...broken.capabilities },
    createDriver: async ({ vhost }) => {
      const isElsewhere = vhost === 'two' && broken.ignoresVhost !== true
      const definition = createMemoryDriver({ broker: isElsewhere ? elsewhere : broker, faults })
      return sabotage(await definition.open(url, createDriverContext(definition)))
    },
    knobs: { timeScale: 0.2, vhosts: ['one', 'two'], ...broken.knobs?.(faults) },
  }
}

describe('self', () => {
  it('self - every case has a broken driver, and every broken driver a case', () => {
    const names = cases.map(({ name }) => name)
    expect(new Set(names).size).toBe(names.length)
    expect(Object.keys(brokenDrivers).toSorted()).toEqual(names.toSorted())
  })

  describe.concurrent('rejects a broken driver', () => {
    for (const testCase of cases) {
      it(testCase.name, { timeout: 60_000 }, async ({ expect }) => {
        await expect(runCase(testCase, optionsFor(brokenDrivers[testCase.name] ?? {}))).rejects.toThrow()
      })
    }
  })

  it('self - with hooks the report is handed over when it is complete', async () => {
    const hooks: (() => Promise<void>)[] = []
    const bodies: (() => Promise<void>)[] = []
    const told: string[] = []
    runDriverConformance({
      ...optionsFor({}),
      describe: (_name, body) => body(),
      it: (_name, body) => bodies.push(body),
      beforeAll: (body) => hooks.push(body),
      afterAll: (body) => hooks.push(body),
      onReport: (complete) => told.push(formatReport(complete)),
    })
    const [before, after] = hooks
    await before?.()
    await bodies[0]?.()
    await after?.()
    expect(told).toEqual([expect.stringMatching(/^1 case ran in \d+\.\d s, \d+ left out/)])
  })

  it('self - what is left out is reported with the capability that says so', () => {
    const report = runDriverConformance({
      ...optionsFor({}),
      describe: (_name, body) => body(),
      it: () => undefined,
      capabilities: { ...NO_CAPABILITIES, notifications: true },
      knobs: {},
    })
    const reasonOf = (name: string): string | undefined => report.leftOut.find((entry) => entry.name === name)?.because
    expect(reasonOf('cast - to a topic nobody serves resolves')).toBe('rpc: false')
    expect(reasonOf('pool - listeners of one pool share its copy')).toBe('pools: false')
    expect(reasonOf('notify - both message formats arrive complete')).toBeUndefined()
    expect(formatReport(report)).toContain('left out (pools: false): pool - each pool')
  })
})

describe('a driver that only notifies', () => {
  runDriverConformance({
    ...optionsFor({}),
    capabilities: { ...NO_CAPABILITIES, notifications: true },
    knobs: {},
  })
})

describe('a driver with RPC and nothing else', () => {
  runDriverConformance({ ...optionsFor({}), capabilities: { ...NO_CAPABILITIES, rpc: true }, knobs: {} })
})
