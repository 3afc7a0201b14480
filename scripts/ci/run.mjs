// Runs the steps one after the other, goes on after a failure, and ends with `N passed, N failed` alone on a line.
// Usage: node scripts/ci/run.mjs [words]: with words, only steps whose name contains one of them.
import { steps } from './steps.mjs'

const started = Date.now()
const seconds = (ms) => `${(ms / 1000).toFixed(1)} s`

const words = process.argv.slice(2)
const chosen = steps.filter(({ name }) => words.length === 0 || words.some((word) => name.includes(word)))

const results = []
for (const { name, run } of chosen) {
  const begun = Date.now()
  console.log(`\n=== ${name} (at ${seconds(begun - started)})`)
  let outcome
  try {
    outcome = await run()
  } catch (error) {
    console.log(error.expected === true ? error.message : error)
    outcome = { passed: 0, failed: 1 }
  }
  results.push({ name, ms: Date.now() - begun, ...outcome })
}

console.log(`\n=== summary (at ${seconds(Date.now() - started)})`)
for (const { name, ms, passed, failed, notes = [] } of results) {
  console.log(
    `${failed === 0 ? 'ok    ' : 'FAILED'} ${seconds(ms).padStart(8)}  ${name}: ${passed} passed, ${failed} failed`,
  )
  for (const note of notes) console.log(note.replace(/^/gm, '    '))
}
const total = (key) => results.reduce((sum, result) => sum + result[key], 0)
console.log(`\n${total('passed')} passed, ${total('failed')} failed`)
process.exit(total('failed') === 0 && results.length > 0 ? 0 : 1)
