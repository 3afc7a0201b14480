import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { execute, root } from '../door/processes.mjs'

/** `npm test`, as anyone calls it; the counts are vitest's own. */
export async function runTests() {
  const folder = mkdtempSync(join(tmpdir(), 'oslo-messaging-ci-'))
  const file = join(folder, 'vitest.json')
  try {
    const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm'
    const args = ['test', '--', '--reporter=default', '--reporter=json', `--outputFile.json=${file}`]
    const code = await execute(npm, args, { cwd: root, stdio: ['ignore', 'inherit', 'inherit'] })
    const counts = read(file)
    // A failure that is no test's (an import that throws, an unhandled rejection, brokers that do not start) counts as one.
    if (code !== 0 && counts.failed === 0) counts.failed = 1
    return counts
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

function read(file) {
  let report
  try {
    report = JSON.parse(readFileSync(file, 'utf8'))
  } catch (error) {
    console.log(`vitest wrote no report: ${error.message}`)
    return { passed: 0, failed: 1 }
  }
  const filesWithoutTests = report.testResults.filter(
    ({ status, assertionResults }) => status === 'failed' && !assertionResults.some((test) => test.status === 'failed'),
  )
  for (const { name, message } of filesWithoutTests) console.log(`failed outside its tests: ${name}\n${message}`)
  if (report.numPendingTests > 0) console.log(`${report.numPendingTests} skipped`)
  return { passed: report.numPassedTests, failed: report.numFailedTests + filesWithoutTests.length }
}
