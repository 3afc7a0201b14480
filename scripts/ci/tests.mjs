import { execute, root } from '../door/processes.mjs'
import { slowest, withReport } from '../door/report.mjs'
import { VITEST } from '../door/vitest.mjs'

/** More files than this failing together is no hiccup of one test: they are not asked again. */
const MAX_FILES_ASKED_AGAIN = 4

/** `npm test`, as anyone calls it; the counts are vitest's own. */
export async function runTests() {
  const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm'
  const { files, ...outcome } = await judged((chosen, reporters) =>
    withoutInput(npm, ['test', '--', ...chosen, ...reporters]),
  )
  return { ...outcome, notes: [...outcome.notes, ['slowest files:', ...slowest(files)].join('\n')] }
}

/** Test files of some projects, with variables of their own for the tests. */
export async function runTestFiles(projects, all, variables = {}) {
  const env = { ...process.env, ...variables }
  const words = ['run', ...projects.flatMap((project) => ['--project', project]), '--maxWorkers=1']
  const { files: _, ...outcome } = await judged((chosen, reporters) =>
    withoutInput(process.execPath, [VITEST, ...words, ...(chosen.length === 0 ? all : chosen), ...reporters], env),
  )
  return outcome
}

function withoutInput(command, args, env) {
  return execute(command, args, { cwd: root, env, stdio: ['ignore', 'inherit', 'inherit'] })
}

/**
 * What a run of tests says. `run` gets the files to be asked, none for all of them, and the words that have it reported.
 *
 * Test files that failed are run a second time, by themselves. A test that passes then counts as passed, and `notes`
 * says so by name with what it said at first: the summary is all that is kept of a run, and a test that fails once in
 * many must be seen there without refusing the change.
 */
async function judged(run) {
  const ask = (files) => withReport((reporters) => run(files, reporters))
  const first = await ask([])
  const files = [...new Set(first.failures.map(({ file }) => file))]
  if (files.length === 0 || files.length > MAX_FILES_ASKED_AGAIN || first.isIncomplete) return result(first, [])
  console.log(`\n--- once more, by themselves: ${files.join(', ')}`)
  const second = await ask(files)
  if (second.isIncomplete) return result(first, [])
  const still = new Set(second.failures.map(({ name }) => name))
  const unsteady = first.failures.filter(({ name }) => !still.has(name))
  return result({ ...first, passed: first.passed + unsteady.length, failures: second.failures }, unsteady)
}

function result({ passed, failures, files, isIncomplete }, unsteady) {
  const line = ({ name, message }) => `${name}\n${message.split('\n').slice(0, 6).join('\n')}`
  return {
    passed,
    failed: failures.length + (isIncomplete ? 1 : 0),
    files,
    notes: [
      ...failures.map((failure) => `failed: ${line(failure)}`),
      ...unsteady.map((failure) => `unsteady, failed once and passed alone: ${line(failure)}`),
    ],
  }
}
