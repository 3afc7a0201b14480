import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { execute, root } from '../door/processes.mjs'

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
  if (files.length === 0 || files.length > MAX_FILES_ASKED_AGAIN || first.isIncomplete) return result(first, [])
  console.log(`\n--- once more, by themselves: ${files.join(', ')}`)
  const second = await npmTest(files)
  if (second.isIncomplete) return result(first, [])
  const still = new Set(second.failures.map(({ name }) => name))
  const unsteady = first.failures.filter(({ name }) => !still.has(name))
  return result({ passed: first.passed + unsteady.length, failures: second.failures }, unsteady)
}

function result({ passed, failures, isIncomplete }, unsteady) {
  const line = ({ name, message }) => `${name}\n${message.split('\n').slice(0, 6).join('\n')}`
  return {
    passed,
    failed: failures.length + (isIncomplete ? 1 : 0),
    notes: [
      ...failures.map((failure) => `failed: ${line(failure)}`),
      ...unsteady.map((failure) => `unsteady, failed once and passed alone: ${line(failure)}`),
    ],
  }
}

/** One run of `npm test`. `isIncomplete`: it failed for a reason that is no test's (an unhandled rejection, brokers that do not start). */
async function npmTest(files) {
  const folder = mkdtempSync(join(tmpdir(), 'oslo-messaging-ci-'))
  const file = join(folder, 'vitest.json')
  try {
    const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm'
    const args = ['test', '--', ...files, '--reporter=default', '--reporter=json', `--outputFile.json=${file}`]
    const code = await execute(npm, args, { cwd: root, stdio: ['ignore', 'inherit', 'inherit'] })
    const outcome = read(file)
    return { ...outcome, isIncomplete: outcome.isIncomplete || (code !== 0 && outcome.failures.length === 0) }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

function read(path) {
  let report
  try {
    report = JSON.parse(readFileSync(path, 'utf8'))
  } catch (error) {
    console.log(`vitest wrote no report: ${error.message}`)
    return { passed: 0, failures: [], isIncomplete: true }
  }
  const failures = report.testResults.flatMap(({ name: path, status, message, assertionResults }) => {
    const file = relative(root, path)
    const tests = assertionResults.filter((test) => test.status === 'failed')
    if (status === 'failed' && tests.length === 0) return [{ file, name: `${file}, outside its tests`, message }]
    return tests.map(({ fullName, failureMessages }) => ({
      file,
      name: `${file}: ${fullName}`,
      message: failureMessages.join('\n'),
    }))
  })
  if (report.numPendingTests > 0) console.log(`${report.numPendingTests} skipped`)
  return { passed: report.numPassedTests, failures, isIncomplete: false }
}
