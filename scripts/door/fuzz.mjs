import { join } from 'node:path'
import { executeNode, ExpectedError, root } from './processes.mjs'

const USAGE = 'npm run fuzz -- [--inputs 100000] [--seed N] [--only PARSER]'
const VARIABLES = { inputs: 'FUZZ_INPUTS', seed: 'FUZZ_SEED' }

/** Feeds every parser with broken copies of its corpus (fuzz/README.md). The seed that is printed replays the run. */
export async function fuzz(args) {
  const env = { ...process.env }
  const more = []
  const left = args.flatMap((arg) => (arg.startsWith('--') && arg.includes('=') ? arg.split('=', 2) : [arg]))
  while (left.length > 0) {
    const [name, value] = left.splice(0, 2)
    const option = /^--(inputs|seed|only)$/.exec(name)?.[1]
    if (option === undefined || value === undefined)
      throw new ExpectedError(`${JSON.stringify(name)} is no option here, or lacks its value.\n${USAGE}`)
    if (option === 'only') more.push('-t', value)
    else if (/^\d+$/.test(value)) env[VARIABLES[option]] = value
    else throw new ExpectedError(`${name} takes a whole number, not ${JSON.stringify(value)}.\n${USAGE}`)
  }
  return await executeNode(join(root, 'node_modules/vitest/vitest.mjs'), ['run', '--project', 'fuzz', ...more], { env })
}
