import { execute, root } from '../door/processes.mjs'
import { slowest, withReport } from '../door/report.mjs'
import { VITEST } from '../door/vitest.mjs'

/** More files than this failing together is no hiccup of one test: they are not asked again. */
const MAX_FILES_ASKED_AGAIN = 4

/**
 * `npm test`, as anyone calls it; the counts are vitest's own.
 *
 * Test files that failed are run a second time, by themselves. A test that passes then counts as passed, and `notes`
 * says so by name with what it said at first: the summary is all that is kept of a run, and a test that fails once in
 * many must be seen there without refusing the change.
 */
export async function runTests() {
  const first = await npmTest([])
  const files = [...new Set(first.failures.map(({ file }) => file))]
  const times = [['slowest files:', ...slowest(first.files)].join('\n')]
  if (files.length === 0 || files.length > MAX_FILES_ASKED_AGAIN || first.isIncomplete) return result(first, [], times)
  console.log(`\n--- once more, by themselves: ${files.join(', ')}`)
  const second = await npmTest(files)
  if (second.isIncomplete) return result(first, [], times)
  const still = new Set(second.failures.map(({ name }) => name))
  const unsteady = first.failures.filter(({ name }) => !still.has(name))
  return result({ passed: first.passed + unsteady.length, failures: second.failures }, unsteady, times)
}

/** Vitest with these words, and variables of their own for the tests. What fails is named, and fails: nothing is asked
 *  a second time. */
export async function runVitest(words, variables = {}) {
  const options = { env: { ...process.env, ...variables }, stdio: ['ignore', 'inherit', 'inherit'] }
  return result(
    await withReport((reporters) => execute(process.execPath, [VITEST, 'run', ...words, ...reporters], options)),
  )
}

function result({ passed, failures, isIncomplete }, unsteady = [], more = []) {
  const line = ({ name, message }) => `${name}\n${message.split('\n').slice(0, 6).join('\n')}`
  return {
    passed,
    failed: failures.length + (isIncomplete ? 1 : 0),
    notes: [
      ...failures.map((failure) => `failed: ${line(failure)}`),
      ...unsteady.map((failure) => `unsteady, failed once and passed alone: ${line(failure)}`),
      ...more,
    ],
  }
}

/** One run of `npm test`. */
async function npmTest(files) {
  const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm'
  return await withReport((reporters) =>
    execute(npm, ['test', '--', ...files, ...reporters], { cwd: root, stdio: ['ignore', 'inherit', 'inherit'] }),
  )
}
