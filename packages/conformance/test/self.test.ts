import { NO_CAPABILITIES } from '@oslo-messaging/core/driver'
import { describe, expect, it } from 'vitest'
import { type ConformanceCase, conformanceChapters, formatReport, runCase, runDriverConformance } from '../src/index.ts'
import { brokenDrivers } from './support/broken-drivers.ts'
import { optionsFor } from './support/broken-options.ts'

const cases: readonly ConformanceCase[] = Object.values(conformanceChapters).flat()

describe('self', () => {
  it('self - every case has a broken driver, and every broken driver a case', () => {
    const names = cases.map(({ name }) => name)
    expect(new Set(names).size).toBe(names.length)
    expect(Object.keys(brokenDrivers).toSorted()).toEqual(names.toSorted())
  })

  describe.concurrent('rejects a broken driver', () => {
    // Those above level 0 take longer: mutants.fault-test.ts has them all.
    for (const testCase of cases.filter(({ level = 0 }) => level === 0)) {
      it(testCase.name, { timeout: 60_000 }, async ({ expect }) => {
        await expect(runCase(testCase, optionsFor(brokenDrivers[testCase.name] ?? {}))).rejects.toThrow()
      })
    }
  })

  it('self - what does not end after a case leaves nothing else open', async () => {
    const ended: string[] = []
    const testCase: ConformanceCase = {
      name: 'a case',
      needs: [],
      run(harness) {
        harness.afterwards(async () => void ended.push('what was opened first'))
        harness.afterwards(() => Promise.reject(new Error('it does not end')))
        return Promise.resolve()
      },
    }
    await expect(runCase(testCase, optionsFor({}))).rejects.toThrow('it does not end')
    expect(ended).toEqual(['what was opened first'])
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
    level: 1,
    capabilities: { ...NO_CAPABILITIES, notifications: true },
    knobs: {},
  })
})

describe('a driver with RPC and nothing else', () => {
  runDriverConformance({ ...optionsFor({}), level: 1, capabilities: { ...NO_CAPABILITIES, rpc: true }, knobs: {} })
})
