import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { type CertifyArguments, parseArguments, type ProfileName, USAGE } from './arguments.ts'
import type { Profile } from './frame/profile.ts'
import { HangWatch } from './frame/hang-watch.ts'
import { run } from './frame/run.ts'
import { formatCounters, writeReport } from './report/report.ts'
import { UsageError } from './usage-error.ts'

/** Loaded when they run, so that a certification does not pay for the libraries of the others. */
const profiles: Readonly<Record<ProfileName, () => Promise<{ readonly profiles: readonly Profile[] }>>> = {
  amqp: () => import('./amqp/profile.ts'),
  kafka: () => import('./kafka/profile.ts'),
  rabbit: () => import('./rabbit/profile.ts'),
}

async function main({ profile: name, options, out }: CertifyArguments): Promise<void> {
  const startedAt = performance.now()
  const say = (text: string): void =>
    console.error(`${((performance.now() - startedAt) / 1000).toFixed(1).padStart(7)} s  ${text}`)
  say(`certify:${name}, seed ${options.seed}`)
  const { profiles: variants } = await profiles[name]()
  const wanted = variants.filter(({ variant }) => options.on === undefined || variant === options.on)
  if (wanted.length === 0)
    throw new UsageError(`--on ${options.on}: ${name} has ${variants.map(({ variant }) => variant).join(', ')}`)
  for (const profile of options.short ? wanted.slice(0, 1) : wanted) {
    const folder = join(out, profile.variant)
    mkdirSync(folder, { recursive: true })
    using watch = new HangWatch(folder)
    const report = await run(profile, options, (what) => watch.doing(what), say)
    writeReport(report, folder)
    console.log(`\n${report.title}, seed ${options.seed}: ${report.passed ? 'passed' : 'FAILED'}`)
    console.log(formatCounters(report))
    console.log(`report: ${folder}/report.html`)
    if (!report.passed) process.exitCode = 1
  }
}

try {
  await main(parseArguments(process.argv.slice(2), process.env['INIT_CWD']))
  // A driver that leaves a socket or a timer behind must not hold up the verdict.
  process.exit()
} catch (error) {
  if (!(error instanceof UsageError)) throw error
  console.error(`${error.message}\n\n${USAGE}`)
  process.exit(2)
}
