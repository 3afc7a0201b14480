// Runs the steps, goes on after a failure, and ends with `N passed, N failed` alone on a line.
// Usage: node scripts/ci/run.mjs [words]: with words, only steps whose name contains one of them.
import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { steps } from './steps.mjs'
import { TARBALLS, tarballs } from './tarballs.mjs'

const started = Date.now()
const seconds = (ms) => `${(ms / 1000).toFixed(1)} s`

const [first, only, report] = process.argv.slice(2)
if (first === '--step') await runStep(only, report)
else await runAll(process.argv.slice(2))

async function runAll(words) {
  const chosen = steps.filter(({ name }) => words.length === 0 || words.some((word) => name.includes(word)))
  const results = new Map()
  for (let index = 0; index < chosen.length;) {
    if (chosen[index].alone === true) {
      const { name, run } = chosen[index++]
      console.log(`\n=== ${name} (at ${seconds(Date.now() - started)})`)
      results.set(name, await outcomeOf(run))
      continue
    }
    const group = []
    while (index < chosen.length && chosen[index].alone !== true) group.push(chosen[index++])
    await runTogether(group, results)
  }
  console.log(`\n=== summary (at ${seconds(Date.now() - started)})`)
  for (const { name } of chosen) {
    const { ms, passed, failed, notes = [] } = results.get(name)
    console.log(
      `${failed === 0 ? 'ok    ' : 'FAILED'} ${seconds(ms).padStart(8)}  ${name}: ${passed} passed, ${failed} failed`,
    )
    for (const note of notes) console.log(note.replace(/^/gm, '    '))
  }
  const total = (key) => [...results.values()].reduce((sum, result) => sum + result[key], 0)
  console.log(`\n${total('passed')} passed, ${total('failed')} failed`)
  process.exit(total('failed') === 0 && results.size > 0 ? 0 : 1)
}

/** Steps that only read the tree, as many at a time as there are cores. Each is a process whose lines are printed
 *  together when it ends. */
async function runTogether(group, results) {
  const env = { ...process.env }
  if (group.some(({ usesTarballs }) => usesTarballs)) {
    const packed = await tarballs().catch((error) => console.log(error))
    if (packed !== undefined) env[TARBALLS] = dirname([...packed.values()][0])
  }
  const waiting = [...group]
  const worker = async () => {
    for (let step = waiting.shift(); step !== undefined; step = waiting.shift())
      results.set(step.name, await inProcess(step.name, env))
  }
  await Promise.all(Array.from({ length: availableParallelism() }, worker))
}

async function inProcess(name, env) {
  const folder = mkdtempSync(join(tmpdir(), 'oslo-messaging-step-'))
  const file = join(folder, 'outcome.json')
  const begun = Date.now()
  try {
    const child = spawn(process.execPath, [fileURLToPath(import.meta.url), '--step', name, file], { env })
    const parts = []
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (part) => parts.push(part))
    await new Promise((resolve) => child.once('close', resolve))
    console.log(`\n=== ${name} (at ${seconds(begun - started)})\n${Buffer.concat(parts).toString().trimEnd()}`)
    return JSON.parse(readFileSync(file, 'utf8'))
  } catch (error) {
    console.log(`${name} ended without a verdict: ${error.message}`)
    return { ms: Date.now() - begun, passed: 0, failed: 1 }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

async function runStep(name, file) {
  const outcome = await outcomeOf(steps.find((step) => step.name === name).run)
  writeFileSync(file, JSON.stringify(outcome))
}

async function outcomeOf(run) {
  const begun = Date.now()
  try {
    return { ...(await run()), ms: Date.now() - begun }
  } catch (error) {
    console.log(error.expected === true ? error.message : error)
    return { ms: Date.now() - begun, passed: 0, failed: 1 }
  }
}
