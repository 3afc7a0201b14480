import { parseArgs } from 'node:util'

/** Suites by name, in the order in which all of them run. */
export const SUITES: readonly ['core', 'import', 'rpc-rabbit', 'notify-rabbit', 'rpc-amqp', 'notify-kafka'] = [
  'core',
  'import',
  'rpc-rabbit',
  'notify-rabbit',
  'rpc-amqp',
  'notify-kafka',
]
export type SuiteName = (typeof SUITES)[number]

export interface BenchArguments {
  readonly suites: readonly SuiteName[]
  readonly json: string | undefined
  readonly quick: boolean
}

export const USAGE: string = `npm run bench -- <suite> [--json FILE] [--quick]

suites: ${SUITES.join(', ')}; several may be named, and run one after the other
--json FILE   also writes { suite, environment, rows } (an array of them for several suites)
--quick       under 50 s for a suite: fewer workloads, shorter turns`

/** Throws a TypeError that says what is wrong with the arguments. */
export function parseArguments(args: readonly string[]): BenchArguments {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: { json: { type: 'string' }, quick: { type: 'boolean', default: false } },
  })
  const unknown = positionals.find((name) => !isSuite(name))
  if (unknown !== undefined) throw new TypeError(`There is no suite ${JSON.stringify(unknown)}`)
  const suites = positionals.filter(isSuite)
  if (suites.length === 0) throw new TypeError('Which suite?')
  return { suites, json: values.json, quick: values.quick }
}

function isSuite(name: string): name is SuiteName {
  return (SUITES as readonly string[]).includes(name)
}
