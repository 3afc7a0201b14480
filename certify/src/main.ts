import { mkdirSync } from 'node:fs'
import { type CertifyArguments, parseArguments, type ProfileName, USAGE } from './arguments.ts'
import type { Profile } from './frame/profile.ts'
import { HangWatch } from './frame/hang-watch.ts'
import { run } from './frame/run.ts'
import { formatCounters, writeReport } from './report/report.ts'

/** Loaded when they run, so that a certification does not pay for the libraries of the others. */
const profiles: Readonly<Record<ProfileName, () => Promise<{ readonly profile: Profile }>>> = {
  kafka: () => import('./kafka/profile.ts'),
}

async function main({ profile: name, options, out }: CertifyArguments): Promise<void> {
  const startedAt = performance.now()
  const say = (text: string): void =>
    console.error(`${((performance.now() - startedAt) / 1000).toFixed(1).padStart(7)} s  ${text}`)
  mkdirSync(out, { recursive: true })
  say(`certify:${name}, seed ${options.seed}`)
  const { profile } = await profiles[name]()
  using watch = new HangWatch(out)
  const report = await run(profile, options, (what) => watch.doing(what), say)
  writeReport(report, out)
  console.log(`\n${report.title}, seed ${options.seed}: ${report.passed ? 'passed' : 'FAILED'}`)
  console.log(formatCounters(report))
  console.log(`report: ${out}/report.html`)
  process.exitCode = report.passed ? 0 : 1
}

let parsed: CertifyArguments | undefined
try {
  parsed = parseArguments(process.argv.slice(2), process.env['INIT_CWD'])
} catch (error) {
  if (!(error instanceof TypeError)) throw error
  console.error(`${error.message}\n\n${USAGE}`)
  process.exitCode = 2
}
if (parsed !== undefined) {
  await main(parsed)
  // A driver that leaves a socket or a timer behind must not hold up the verdict.
  process.exit()
}
