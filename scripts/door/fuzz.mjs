import { parseArgs } from 'node:util'
import { executeNode, ExpectedError } from './processes.mjs'
import { VITEST } from './vitest.mjs'

const USAGE = 'npm run fuzz -- [--inputs 100000] [--seed N] [--only PARSER]'
const OPTIONS = { inputs: { type: 'string' }, seed: { type: 'string' }, only: { type: 'string' } }

/** Feeds every parser with broken copies of its corpus (fuzz/README.md). The seed that is printed replays the run. */
export async function fuzz(args) {
  const { inputs, seed, only } = read(args)
  const env = { ...process.env }
  if (inputs !== undefined) env.FUZZ_INPUTS = inputs
  if (seed !== undefined) env.FUZZ_SEED = seed
  const words = ['run', '--project', 'fuzz', ...(only === undefined ? [] : ['-t', only])]
  return await executeNode(VITEST, words, { env })
}

function read(args) {
  try {
    const { values } = parseArgs({ args, options: OPTIONS })
    for (const name of ['inputs', 'seed'])
      if (!/^\d+$/.test(values[name] ?? '0'))
        throw new Error(`--${name} takes a whole number, not ${String(values[name])}.`)
    return values
  } catch (error) {
    throw new ExpectedError(`${error.message}\n${USAGE}`)
  }
}
