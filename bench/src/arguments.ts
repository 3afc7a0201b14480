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
  readonly html: string | undefined
  readonly quick: boolean
  /** The workloads to run; undefined: all. */
  readonly only: WorkloadFilter | undefined
}

/** What is to be done. */
export type BenchCommand =
  | ({ readonly command: 'run' } & BenchArguments)
  | ({ readonly command: 'profile'; readonly out: string } & BenchArguments)
  | { readonly command: 'compare'; readonly before: string; readonly after: string }
  | { readonly command: 'allocations'; readonly record: boolean }

/** Which workloads: those of a name, or only the one of them with so many at once. */
export interface WorkloadFilter {
  readonly name: string
  readonly concurrency: number | undefined
}

export const USAGE: string = `npm run bench -- SUITE ... [--json FILE] [--html FILE] [--quick] [--only WORKLOAD]
npm run bench -- all           every suite; writes bench.json and bench.html unless told otherwise
npm run bench -- compare ONE.json OTHER.json
                               which rows have become slower or faster; exit code 1: some are slower
npm run bench -- profile SUITE [--out FOLDER] [--quick] [--only WORKLOAD]
                               leaves SUITE.cpuprofile and a flame graph, SUITE.html
npm run bench -- allocations [--record]
                               bytes allocated for a message against what is on record

suites: ${SUITES.join(', ')}; several may be named, and run one after the other
--json FILE      also writes { suite, environment, rows } (an array of them for several suites)
--html FILE      also writes a page
--quick          under 50 s for a suite: fewer workloads, shorter turns
--only WORKLOAD  only the rows of this workload, as the table calls it: listen, or notify:64 for those with 64 at once`

/** Throws a TypeError that says what is wrong. */
export function parseCommand(args: readonly string[]): BenchCommand {
  const [word, ...rest] = args
  if (word === 'compare') {
    const [before, after, ...more] = parseArgs({ args: rest, allowPositionals: true }).positionals
    if (before === undefined || after === undefined || more.length > 0)
      throw new TypeError('compare takes two results, as --json writes them')
    return { command: 'compare', before, after }
  }
  if (word === 'allocations') {
    const { values } = parseArgs({ args: rest, options: { record: { type: 'boolean', default: false } } })
    return { command: 'allocations', record: values.record }
  }
  if (word !== 'profile') return { command: 'run', ...parseArguments(args) }
  const at = rest.indexOf('--out')
  const out = at < 0 ? '.' : rest[at + 1]
  if (out === undefined) throw new TypeError('--out wants a folder')
  const parsed = parseArguments(at < 0 ? rest : rest.toSpliced(at, 2))
  if (parsed.suites.length !== 1) throw new TypeError('profile takes one suite')
  return { command: 'profile', out, ...parsed }
}

/** Throws a TypeError that says what is wrong with the arguments. */
export function parseArguments(args: readonly string[]): BenchArguments {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      json: { type: 'string' },
      html: { type: 'string' },
      quick: { type: 'boolean', default: false },
      only: { type: 'string' },
    },
  })
  const isAll = positionals.length === 1 && positionals[0] === 'all'
  const unknown = positionals.find((name) => !isAll && !isSuite(name))
  if (unknown !== undefined) throw new TypeError(`There is no suite ${JSON.stringify(unknown)}`)
  const suites = isAll ? SUITES : positionals.filter(isSuite)
  if (suites.length === 0) throw new TypeError('Which suite?')
  const file = (given: string | undefined, usual: string): string | undefined => given ?? (isAll ? usual : undefined)
  return {
    suites,
    json: file(values.json, 'bench.json'),
    html: file(values.html, 'bench.html'),
    quick: values.quick,
    only: parseFilter(values.only),
  }
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
