import { parseArgs } from 'node:util'

/** Suites by name, in the order in which all of them run. */
export const SUITES = [
  'core',
  'import',
  'start',
  'rpc-rabbit',
  'notify-rabbit',
  'growth-rabbit',
  'rpc-amqp',
  'notify-kafka',
  'tracing',
] as const
export type SuiteName = (typeof SUITES)[number]

export interface BenchArguments {
  readonly suites: readonly SuiteName[]
  readonly json: string | undefined
  readonly quick: boolean
  /** The workloads to run; undefined: all. */
  readonly only: WorkloadFilter | undefined
}

/** Which workloads: those of a name, or only the one of them with so many at once. */
export interface WorkloadFilter {
  readonly name: string
  readonly concurrency: number | undefined
}

export const USAGE: string = `npm run bench -- <suite> [--json FILE] [--quick] [--only WORKLOAD]

suites: ${SUITES.join(', ')}; several may be named, and run one after the other
--json FILE      also writes { suite, environment, rows } (an array of them for several suites)
--quick          under 50 s for a suite: fewer workloads, shorter turns
--only WORKLOAD  only the rows of this workload, as the table calls it: listen, or notify:64 for those with 64 at once`

/** Throws a TypeError that says what is wrong with the arguments. */
export function parseArguments(args: readonly string[]): BenchArguments {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: { json: { type: 'string' }, quick: { type: 'boolean', default: false }, only: { type: 'string' } },
  })
  const unknown = positionals.find((name) => !isSuite(name))
  if (unknown !== undefined) throw new TypeError(`There is no suite ${JSON.stringify(unknown)}`)
  const suites = positionals.filter(isSuite)
  if (suites.length === 0) throw new TypeError('Which suite?')
  return { suites, json: values.json, quick: values.quick, only: parseFilter(values.only) }
}

/** Whether a workload is among those to run. */
export function isWanted(
  { name, concurrency }: { readonly name: string; readonly concurrency: number },
  only: WorkloadFilter | undefined,
): boolean {
  if (only === undefined) return true
  return name === only.name && (only.concurrency ?? concurrency) === concurrency
}

function parseFilter(text: string | undefined): WorkloadFilter | undefined {
  if (text === undefined) return undefined
  const [, name = '', concurrency] = /^(.+?)(?::(\d+))?$/.exec(text) ?? []
  if (name === '') throw new TypeError('--only wants the name of a workload')
  return { name, concurrency: concurrency === undefined ? undefined : Number(concurrency) }
}

function isSuite(name: string): name is SuiteName {
  return (SUITES as readonly string[]).includes(name)
}
