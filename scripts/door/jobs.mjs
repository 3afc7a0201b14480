import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { withBrokers } from './brokers.mjs'
import { fuzz } from './fuzz.mjs'
import { matrix } from './matrix.mjs'
import { executeNode, exitCodeOf, ExpectedError, interruptedBy, root } from './processes.mjs'
import { prepare } from './prepare.mjs'
import { repeatTests, takeRepeat } from './repeat.mjs'
import { everyday, VITEST } from './vitest.mjs'

const inRoot = (...parts) => join(root, ...parts)

/** Jobs by the word after `npm run`. Each gets the words after `--` and resolves with an exit code. */
const jobs = {
  start: async (args) => {
    const { names, rest } = takeBrokers(args)
    return await withBrokers(names, (env) =>
      executeNode(inRoot('examples/01-hybrid-service/dist/main.js'), rest, { env }),
    )
  },
  test: (args) => {
    const { times, rest } = takeRepeat(args)
    const run = (more) => executeNode(VITEST, [...everyday(rest), ...more])
    return times === undefined ? run([]) : repeatTests(times, run)
  },
  interop: async (args) => {
    const isWhole = args.length === 0
    // Only a whole run may write the page, and only from what it found itself.
    if (isWhole) rmSync(inRoot('interop/results'), { recursive: true, force: true })
    const projects = ['unit', 'broker', 'faults'].flatMap((name) => ['--project', name])
    const words = ['run', ...projects, '--maxWorkers=3', ...(isWhole ? ['interop/'] : args)]
    const env = { ...process.env, INTEROP: 'full' }
    const code = await executeNode(VITEST, words, { env })
    if (!isWhole || interruptedBy() !== undefined) return code
    const written = await executeNode(inRoot('interop/golden/report.mjs'), [])
    return code === 0 ? written : code
  },
  matrix,
  fuzz,
  audit: async () => (await import('../ci/audit.mjs')).audit(),
  release: async (args) => (await import('../ci/release.mjs')).release(args),
  site: (args) => executeNode(inRoot('site/build.mjs'), args),
  'site:check': (args) => executeNode(inRoot('site/check.mjs'), args),
  brokers: (args) => executeNode(inRoot('brokers/dist/cli.js'), args, { cwd: process.env.INIT_CWD ?? root }),
  certify: (args) => executeNode(inRoot('certify/dist/main.js'), args, { cwd: process.env.INIT_CWD ?? root }),
  conformance: (args) => executeNode(inRoot('certify/dist/conformance/main.js'), args, { cwd: root }),
  bench: (args) => executeNode(inRoot('bench/dist/main.js'), args, { cwd: process.env.INIT_CWD ?? root }),
}

/** Splits `--brokers [names]` off. Names are separated by commas; without any, the two of the hybrid service. */
function takeBrokers(args) {
  const at = args.findIndex((arg) => arg === '--brokers' || arg.startsWith('--brokers='))
  if (at === -1) return { names: [], rest: args }
  const [, inline] = args[at].split('=')
  const next = args[at + 1]
  const isNamed = inline === undefined && next !== undefined && !next.startsWith('-')
  const text = inline ?? (isNamed ? next : 'rabbit,kafka')
  const rest = [...args.slice(0, at), ...args.slice(at + (isNamed ? 2 : 1))]
  return { names: text.split(',').filter((name) => name !== ''), rest }
}

/** Runs one job and resolves with the exit code for the shell. */
export async function run(name, args) {
  const job = Object.hasOwn(jobs, name ?? '') ? jobs[name] : undefined
  if (job === undefined)
    throw new ExpectedError(`There is no job ${JSON.stringify(name ?? '')}: ${Object.keys(jobs).join(', ')} are.`)
  await prepare()
  const signal = interruptedBy()
  return signal === undefined ? await job(args) : exitCodeOf(signal)
}
