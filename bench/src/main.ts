import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { excesses, LINE, measureAllocations, record, recordedAllocations } from './allocations/baseline.ts'
import { type BenchArguments, type BenchCommand, isWanted, parseCommand, type SuiteName, USAGE } from './arguments.ts'
import { compareResults, formatComparison } from './compare.ts'
import { describeEnvironment } from './environment.ts'
import { resultsPage } from './page.ts'
import { callTree, flamePage } from './profile/flame.ts'
import { recordProfile } from './profile/record.ts'
import type { Suite, SuiteResult } from './result.ts'
import { formatTable } from './table.ts'

/** Loaded when they run: a suite does not pay for the libraries of the others. */
const suites: Readonly<Record<SuiteName, () => Promise<{ readonly run: Suite }>>> = {
  core: () => import('./suites/core.ts'),
  import: () => import('./suites/import.ts'),
  start: () => import('./suites/start.ts'),
  'rpc-rabbit': () => import('./suites/rpc-rabbit.ts'),
  'growth-rabbit': () => import('./suites/growth-rabbit.ts'),
  'rpc-amqp': () => import('./suites/rpc-amqp.ts'),
  'notify-rabbit': () => import('./suites/notify-rabbit.ts'),
  'notify-kafka': () => import('./suites/notify-kafka.ts'),
  tracing: () => import('./suites/tracing.ts'),
}

/** Resolves with the exit code. */
async function main(command: BenchCommand): Promise<number> {
  switch (command.command) {
    case 'compare':
      return compare(command.before, command.after)
    case 'allocations':
      return await allocations(command.record)
    case 'profile':
      return await profile(command)
    default:
      return await run(command)
  }
}

async function run(args: BenchArguments): Promise<number> {
  const results: SuiteResult[] = []
  for (const suite of args.suites) {
    const result = await runSuite(suite, args)
    results.push(result)
    console.log(`\n${formatTable(result)}\n`)
    // After each suite: what was measured is not lost with the next one.
    write(args.json, `${JSON.stringify(results.length === 1 ? results[0] : results, null, 2)}\n`)
    write(args.html, resultsPage(results, commandOf(args)))
  }
  for (const file of [args.json, args.html]) if (file !== undefined) console.log(`written to ${file}`)
  return 0
}

async function runSuite(suite: SuiteName, args: BenchArguments): Promise<SuiteResult> {
  const { run: measure } = await suites[suite]()
  const startedAt = performance.now()
  const say = (text: string): void =>
    console.error(`${((performance.now() - startedAt) / 1000).toFixed(1).padStart(6)} s  ${suite}: ${text}`)
  const wants = (workload: Parameters<typeof isWanted>[0]): boolean => isWanted(workload, args.only)
  const { rows, brokers } = await measure({ quick: args.quick, wants, say })
  if (rows.length === 0) throw new TypeError(`Suite ${suite} has no such workload: its table says which it has`)
  return { suite, environment: describeEnvironment(brokers), rows }
}

function write(file: string | undefined, text: string): void {
  if (file !== undefined) writeFileSync(file, text)
}

function commandOf({ suites: names, quick, only }: BenchArguments): string {
  const filter =
    only === undefined ? '' : ` --only "${only.name}${only.concurrency === undefined ? '' : `:${only.concurrency}`}"`
  return `npm run bench -- ${names.length === Object.keys(suites).length ? 'all' : names.join(' ')}${quick ? ' --quick' : ''}${filter}`
}

function compare(before: string, after: string): number {
  const read = (file: string): readonly SuiteResult[] => {
    const value = JSON.parse(readFileSync(file, 'utf8')) as SuiteResult | readonly SuiteResult[]
    return 'suite' in value ? [value] : value
  }
  const rows = compareResults(read(before), read(after))
  if (rows.length === 0) throw new TypeError('The two results have no row in common')
  console.log(formatComparison(rows))
  return rows.some(({ verdict }) => verdict === 'slower') ? 1 : 0
}

async function allocations(records: boolean): Promise<number> {
  const measured = await measureAllocations()
  const { node, marginPercent } = recordedAllocations()
  const recorded = node[LINE]
  for (const [name, bytes] of Object.entries(measured))
    console.log(`${name.padEnd(26)} ${String(bytes).padStart(8)} bytes  (on record ${recorded?.[name] ?? '-'})`)
  if (records) {
    record(measured)
    return 0
  }
  if (recorded === undefined) {
    console.error(`Nothing is on record for Node ${LINE}, so nothing was compared; --record puts this there`)
    return 0
  }
  const found = excesses(measured, recorded, marginPercent)
  for (const line of found) console.error(line)
  return found.length === 0 ? 0 : 1
}

async function profile(args: BenchArguments & { readonly out: string }): Promise<number> {
  const [suite] = args.suites
  if (suite === undefined) throw new TypeError('Which suite?')
  const recorded = await recordProfile(async () => console.log(formatTable(await runSuite(suite, args))))
  mkdirSync(args.out, { recursive: true })
  const file = (ending: string): string => join(args.out, `${suite}.${ending}`)
  writeFileSync(file('cpuprofile'), JSON.stringify(recorded))
  const command = commandOf(args).replace(' -- ', ' -- profile ')
  writeFileSync(file('html'), flamePage(callTree(recorded), suite, command))
  console.log(`written to ${file('cpuprofile')} and ${file('html')}`)
  return 0
}

let parsed: BenchCommand | undefined
try {
  parsed = parseCommand(process.argv.slice(2))
} catch (error) {
  if (!(error instanceof TypeError)) throw error
  console.error(`${error.message}\n\n${USAGE}`)
  process.exitCode = 2
}
if (parsed !== undefined) process.exitCode = await main(parsed)
