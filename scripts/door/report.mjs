import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { root } from './processes.mjs'

/** Runs `work` with a file for vitest's JSON report and resolves with what was written there, beside the exit code. */
export async function withReport(work) {
  const folder = mkdtempSync(join(tmpdir(), 'oslo-messaging-report-'))
  const file = join(folder, 'vitest.json')
  try {
    const code = await work(['--reporter=default', '--reporter=json', `--outputFile.json=${file}`])
    const outcome = read(file)
    // A run that failed without a failed test (an unhandled rejection, brokers that do not start) says too little.
    return { ...outcome, code, isIncomplete: outcome.isIncomplete || (code !== 0 && outcome.failures.length === 0) }
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
    return { passed: 0, failures: [], files: [], isIncomplete: true }
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
  const files = report.testResults.map(({ name, startTime, endTime }) => ({
    file: relative(root, name),
    ms: endTime - startTime,
  }))
  return { passed: report.numPassedTests, failures, files, isIncomplete: false }
}

/** The ten test files that took longest, a line each: where time is to be won. */
export function slowest(files) {
  return files
    .toSorted((one, other) => other.ms - one.ms)
    .slice(0, 10)
    .map(({ file, ms }) => `${(ms / 1000).toFixed(1).padStart(7)} s  ${file}`)
}
