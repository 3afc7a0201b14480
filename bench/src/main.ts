import { writeFileSync } from 'node:fs'
import { type BenchArguments, isWanted, parseArguments, type SuiteName, USAGE } from './arguments.ts'
import { describeEnvironment } from './environment.ts'
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

async function main(args: BenchArguments): Promise<void> {
  const results: SuiteResult[] = []
  for (const suite of args.suites) {
    const { run } = await suites[suite]()
    const startedAt = performance.now()
    const say = (text: string): void =>
      console.error(`${((performance.now() - startedAt) / 1000).toFixed(1).padStart(6)} s  ${suite}: ${text}`)
    const wants = (workload: Parameters<typeof isWanted>[0]): boolean => isWanted(workload, args.only)
    const { rows, brokers } = await run({ quick: args.quick, wants, say })
    if (rows.length === 0) throw new TypeError(`Suite ${suite} has no such workload: its table says which it has`)
    const result = { suite, environment: describeEnvironment(brokers), rows }
    results.push(result)
    console.log(`\n${formatTable(result)}\n`)
  }
  if (args.json === undefined) return
  writeFileSync(args.json, `${JSON.stringify(results.length === 1 ? results[0] : results, null, 2)}\n`)
  console.log(`written to ${args.json}`)
}

let parsed: BenchArguments | undefined
try {
  parsed = parseArguments(process.argv.slice(2))
} catch (error) {
  if (!(error instanceof TypeError)) throw error
  console.error(`${error.message}\n\n${USAGE}`)
  process.exitCode = 2
}
if (parsed !== undefined) await main(parsed)
