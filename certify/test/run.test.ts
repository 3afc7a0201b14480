import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { HistoryEvent } from '@oslo-messaging/conformance/history'
import { describe, expect, it, onTestFinished } from 'vitest'
import type { Nemesis } from '../src/frame/nemesis.ts'
import type { Profile, RunOptions, StageParts } from '../src/frame/profile.ts'
import { run } from '../src/frame/run.ts'
import { formatCounters, writeReport } from '../src/report/report.ts'

const OPTIONS: RunOptions = {
  seed: '1',
  short: true,
  minutes: 0,
  on: undefined,
  version: undefined,
  client: undefined,
  only: undefined,
}

interface Behaviour {
  readonly hits?: number
  readonly strike?: () => Promise<never>
  readonly calm?: () => Promise<void>
  readonly loses?: boolean
  readonly stopsNodes?: true
}

/** A stage without a broker: one message, one nemesis. */
function profileThat({ hits = 1, strike, calm, loses = false, stopsNodes }: Behaviour): Profile {
  const nemesis: Nemesis = {
    name: 'trouble & <strife>',
    disturbs: ['all'],
    ...(stopsNodes === undefined ? {} : { stopsNodes }),
    strike: strike ?? (() => Promise.resolve({ count: hits, says: `${hits} hit` })),
  }
  return {
    name: 'kafka',
    variant: 'cluster',
    open: ({ recorder }: StageParts) =>
      Promise.resolve({
        title: 'a stage',
        nemeses: [nemesis],
        short: [nemesis.name],
        promises: {
          readOutside: ['a'],
          storedForReaders: true,
          storedOnce: true,
          storedInOrder: true,
          triesUntilDeadline: true,
          graceMs: null,
          readers: {},
        },
        begin: () => {
          const message = recorder.take()
          recorder.record({ kind: 'sent', message, place: 'a' })
          recorder.record({ kind: 'resolved', message })
          if (!loses) recorder.record({ kind: 'stored', message, place: 'a', partition: 0, position: 0 })
          return Promise.resolve()
        },
        calm: calm ?? (() => Promise.resolve()),
        end: () => Promise.resolve(),
        facts: () => ({ figure: 1 }),
        [Symbol.asyncDispose]: () => Promise.resolve(),
      }),
  }
}

async function reportOf(behaviour: Behaviour) {
  const folder = mkdtempSync(join(tmpdir(), 'certify-test-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  const report = await run(
    profileThat(behaviour),
    OPTIONS,
    () => {},
    () => {},
  )
  writeReport(report, folder)
  return {
    report,
    page: readFileSync(join(folder, 'report.html'), 'utf8'),
    json: JSON.parse(readFileSync(join(folder, 'report.json'), 'utf8')) as unknown,
  }
}

describe('run', () => {
  it('passes when nothing is violated and every nemesis struck; JSON, page and counters say so', async () => {
    const { report, page, json } = await reportOf({})
    expect(report.passed).toBe(true)
    expect(json).toMatchObject({ passed: true, options: { seed: '1' }, strikes: [{ count: 1 }] })
    expect(page).toContain('a stage: <b class="passed">passed</b>')
    expect(page).toContain('npm run certify:kafka -- --seed 1 --on cluster --short')
    expect(formatCounters(report)).toContain('resolved-and-not-stored  0')
  })

  it('the page asks for nothing from anywhere and shows names as text', async () => {
    const { page } = await reportOf({})
    expect(page).not.toMatch(/(?:src|href)=|url\(|<script|<link|@import/)
    expect(page).toContain('trouble &amp; &lt;strife&gt;')
    expect(page).not.toContain('<strife>')
  })

  it('fails with the events of what was violated', async () => {
    const { report, page } = await reportOf({ loses: true })
    expect(report.passed).toBe(false)
    expect(report.verdict.counts['resolved-and-not-stored']).toBe(1)
    expect(page).toContain('&quot;kind&quot;:&quot;resolved&quot;')
  })

  it('fails when a nemesis never struck', async () => {
    const { report } = await reportOf({ hits: 0 })
    expect(report.problems).toEqual(['trouble & <strife> never struck'])
    expect(report.passed).toBe(false)
  })

  it('fails when a strike failed, or the stage was not whole again', async () => {
    const broken = await reportOf({ strike: () => Promise.reject(new Error('no lever')) })
    expect(broken.report.problems[0]).toContain('no lever')
    const ill = await reportOf({ calm: () => Promise.reject(new Error('still recovering')) })
    expect(ill.report.problems).toEqual(['after trouble & <strife> (phase 1): still recovering'])
    expect(ill.report.passed).toBe(false)
  })

  it.each([
    [{ stopsNodes: true as const }, 1],
    [{}, 0],
  ])('the checker hears of nodes that went down, and of nothing else: %j', async (behaviour, downs) => {
    const profile = profileThat(behaviour)
    const nothing = (): void => {}
    let history: Iterable<HistoryEvent> = []
    const open = (parts: StageParts) => {
      history = parts.recorder.history
      return profile.open(parts)
    }
    const { strikes } = await run({ ...profile, open }, OPTIONS, nothing, nothing)
    const found = [...history].filter(({ kind }) => kind === 'down')
    expect(found).toEqual(
      strikes.slice(0, downs).map(({ fromMs, toMs }) => ({ kind: 'down', at: fromMs, untilMs: toMs })),
    )
  })

  it('refuses a nemesis that the stage has not, and names those it has', async () => {
    const asked = { ...OPTIONS, only: ['earthquake'] }
    const nothing = (): void => {}
    await expect(run(profileThat({}), asked, nothing, nothing)).rejects.toThrow(/"earthquake".*trouble & <strife>/)
  })
})
