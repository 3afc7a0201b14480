// Every numbered feature of the Python library is tested under its number, or stands below with the reason why it is
// not.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

const SECTIONS = { T: 25, G: 8, C: 20, S: 17, D: 17, Z: 6, N: 18, L: 19, M: 5, X: 7, Y: 5, O: 9 }

/** Rows that no test of this repository carries, and why. */
const ELSEWHERE = {
  T25: 'forking a process does not exist in Node; a child process makes its own transport',
  O8: 'not made: a configuration is a value here, so overrides make another one and there is nothing to reset',
}

function* testFiles(folder) {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    if (entry.name === 'node_modules' || entry.name === 'dist') continue
    const path = join(folder, entry.name)
    if (entry.isDirectory()) yield* testFiles(path)
    else if (
      /\.(test|broker-test|chromium-test|fault-test|soak-test|test-d)\.ts$/.test(entry.name) ||
      path.includes('conformance/src/')
    )
      yield path
  }
}

// A title names its rows at the beginning: 'C8 version cap - ...' or 'S3, S4 start and stop - ...'.
const TITLE =
  /\b(?:it|test|describe|title|name)(?:\.(?:each|runIf)\([^)]*\))?\s*[(:]\s*\n?\s*['"`]((?:[TGCSDZNLMXYO]\d{1,2}(?:[a-z])?[,:]?\s+(?:and\s+)?)+)/g
const tested = new Set()
for (const folder of ['packages', 'interop', 'examples', 'brokers']) {
  for (const file of testFiles(folder)) {
    for (const [, numbers] of readFileSync(file, 'utf8').matchAll(TITLE)) {
      for (const [number] of numbers.matchAll(/[TGCSDZNLMXYO]\d{1,2}/g)) tested.add(number)
    }
  }
}

const rows = Object.entries(SECTIONS).flatMap(([letter, count]) =>
  Array.from({ length: count }, (_, index) => `${letter}${index + 1}`),
)
const missing = rows.filter((row) => !tested.has(row) && !(row in ELSEWHERE))
const needless = Object.keys(ELSEWHERE).filter((row) => tested.has(row))
console.log(
  `${rows.length} rows: ${rows.length - missing.length - Object.keys(ELSEWHERE).length} tested by number, ${Object.keys(ELSEWHERE).length} without a test`,
)
for (const [row, reason] of Object.entries(ELSEWHERE)) console.log(`  ${row}: ${reason}`)
if (needless.length > 0) console.error(`listed as without a test, but tested: ${needless.join(', ')}`)
if (missing.length > 0) console.error(`not tested by number: ${missing.join(', ')}`)
process.exitCode = missing.length + needless.length > 0 ? 1 : 0
