import { checkHistory } from '@oslo-messaging/conformance/history'
import type { Report } from '../report/report.ts'
import { timelineOf } from '../report/timeline.ts'
import { type Phase, plan } from './plan.ts'
import type { Profile, RunOptions, Stage } from './profile.ts'
import { Random } from '@oslo-messaging/conformance/faults'
import { Recorder } from './recorder.ts'
import { Scheduler } from './scheduler.ts'
import { UsageError } from '../usage-error.ts'

const STRIKE_MS = 12_000
const SHORT_STRIKE_MS = 5_000

/** Runs one certification from the brokers' start to the verdict. `doing` hears what is under way, `say` what a person
 *  wants to read. */
export async function run(
  profile: Profile,
  options: RunOptions,
  doing: (what: string) => void,
  say: (text: string) => void,
): Promise<Report> {
  const random = new Random(options.seed)
  const recorder = new Recorder()
  const startedAt = new Date()
  await using stage = await profile.open({ options, random: random.fork('stage'), recorder, say })
  say(stage.title)
  const problems: string[] = []
  const strikes = new Scheduler({
    nemeses: stage.nemeses,
    random: random.fork('strikes'),
    now: () => recorder.now,
    onStrike: ({ nemesis, says, fromMs, toMs }) => {
      say(`  ${nemesis}: ${says}`)
      if (stage.nemeses.find(({ name }) => name === nemesis)?.stopsNodes === true)
        recorder.history.record({ kind: 'down', at: fromMs, untilMs: toMs })
    },
  })
  const phases: Phase[] = []
  await stage.begin()
  for (const phase of phasesOf(stage, options, random, () => recorder.now)) {
    phases.push(phase)
    doing(`phase ${phase.number}: ${phase.nemeses.join(' and ')}`)
    say(`phase ${phase.number}: ${phase.nemeses.join(' and ')}, ${recorder.messages} messages so far`)
    await strikes.run(phase)
    await stage.calm().catch((error: unknown) => {
      problems.push(`after ${phase.nemeses.join(' and ')} (phase ${phase.number}): ${textOf(error)}`)
      say(`  not whole again: ${textOf(error)}`)
    })
  }
  doing('the end')
  say('senders end, readers catch up')
  await stage.end().catch((error: unknown) => problems.push(`at the end: ${textOf(error)}`))
  problems.push(...strikes.failures)
  for (const name of strikes.missed(phases.flatMap(({ nemeses }) => nemeses))) problems.push(`${name} never struck`)
  say(`checking ${recorder.history.size} events of ${recorder.messages} messages`)
  const verdict = checkHistory(recorder.history, stage.promises)
  if (verdict.totals.resolved === 0) problems.push('nothing resolved, so nothing was shown')
  return {
    profile: profile.name,
    title: stage.title,
    passed: verdict.passed && problems.length === 0,
    options: { ...options, on: profile.variant },
    startedAt: startedAt.toISOString(),
    durationMs: Math.round(recorder.now),
    node: process.version,
    verdict,
    problems,
    rejections: Object.fromEntries(recorder.rejections),
    rejectionExamples: Object.fromEntries(recorder.examples),
    facts: stage.facts(),
    phases,
    strikes: strikes.strikes,
    timeline: timelineOf(recorder.history),
  }
}

/** The plan as far as time allows: the short form is over after each of its nemeses, the full one after its minutes. */
function* phasesOf(stage: Stage, options: RunOptions, random: Random, now: () => number): Generator<Phase, void> {
  const { short, only, minutes } = options
  const names = only ?? (short ? stage.short : stage.nemeses.map(({ name }) => name))
  const nemeses = names.map((name) => {
    const nemesis = stage.nemeses.find((each) => each.name === name)
    if (nemesis !== undefined) return nemesis
    throw new UsageError(
      `There is no nemesis ${JSON.stringify(name)} here: ${stage.nemeses.map((each) => each.name).join(', ')} are`,
    )
  })
  const forMs = short ? SHORT_STRIKE_MS : STRIKE_MS
  const startedAt = now()
  for (const phase of plan({ random: random.fork('plan'), nemeses, forMs, together: 3 })) {
    const allStruck = phase.number > nemeses.length
    if (allStruck && (short || now() - startedAt >= minutes * 60_000)) return
    yield phase
  }
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
