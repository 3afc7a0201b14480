import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { homedir, tmpdir } from 'node:os'
import { join } from 'node:path'
import { takeOption } from './options.mjs'
import { execute, ExpectedError, interruptedBy } from './processes.mjs'
import { withReport } from './report.mjs'
import { everyday, VITEST } from './vitest.mjs'

/** The lines of Node that packages promise to run on: the oldest, and each even one since. */
export const LINES = ['20', '22', '24', '26']

const USAGE = `npm run matrix -- [--node ${LINES.join(',')}] [arguments of npm test]`

/** Runs the tests on several lines of Node and prints what each said. Brokers are started anew for each. */
export async function matrix(args) {
  const { lines, rest } = takeLines(args)
  const results = []
  for (const line of lines) {
    if (interruptedBy() !== undefined) break
    const node = await nodeOf(line)
    const version = versionOf(node)
    console.log(`\n--- Node ${version}`)
    const begun = Date.now()
    const env = { ...process.env, PATH: `${join(node, '..')}:${process.env.PATH}` }
    const outcome = await withReport((more) => execute(node, [VITEST, ...everyday(rest), ...more], { env }))
    results.push({ version, ms: Date.now() - begun, ...outcome })
  }
  console.log(`\n${'Node'.padEnd(10)} ${'passed'.padStart(7)} ${'failed'.padStart(7)} ${'seconds'.padStart(8)}`)
  for (const { version, ms, passed, failures, isIncomplete } of results) {
    const failed = isIncomplete ? 'no end' : String(failures.length)
    console.log(
      `${version.padEnd(10)} ${String(passed).padStart(7)} ${failed.padStart(7)} ${(ms / 1000).toFixed(0).padStart(8)}`,
    )
    for (const { name, message } of failures) console.log(`  ${name}\n    ${message.split('\n')[0]}`)
  }
  const isGreen =
    results.length === lines.length && results.every(({ code, isIncomplete }) => code === 0 && !isIncomplete)
  return isGreen ? 0 : 1
}

function takeLines(args) {
  const { value, rest } = takeOption(args, '--node')
  return { lines: value === undefined ? LINES : linesOf(value), rest }
}

/** Lines of Node as somebody writes them: `20,22`. Throws ExpectedError. */
export function linesOf(text) {
  const lines = text.split(',')
  const odd = lines.find((line) => !/^\d+(\.\d+){0,2}$/.test(line))
  if (odd !== undefined)
    throw new ExpectedError(`--node takes versions of Node, separated by commas, not ${JSON.stringify(odd)}.\n${USAGE}`)
  return lines
}

/** The executable of a line of Node, from the registry's packages that carry nothing else; kept for the next time. */
export async function nodeOf(line) {
  const names = { linux: 'linux', darwin: 'darwin' }
  const platform = names[process.platform]
  if (platform === undefined) throw new ExpectedError(`The matrix runs on Linux and macOS, not on ${process.platform}.`)
  const cache = join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'oslo-messaging', 'node')
  const folder = join(cache, `${line}-${process.arch}`)
  const executable = join(folder, 'bin', 'node')
  if (existsSync(executable)) return executable
  const work = mkdtempSync(join(tmpdir(), 'oslo-messaging-node-'))
  try {
    const name = `node-${platform}-${process.arch}`
    const code = await execute('npm', [
      'install',
      '--prefix',
      work,
      '--no-audit',
      '--no-fund',
      '--silent',
      `${name}@${line}`,
    ])
    if (code !== 0) throw new ExpectedError(`Node ${line} is not to be had as ${name}@${line}; npm says why above.`)
    mkdirSync(cache, { recursive: true })
    rmSync(folder, { recursive: true, force: true })
    await execute('cp', ['-r', join(work, 'node_modules', name), folder])
    return executable
  } finally {
    rmSync(work, { recursive: true, force: true })
  }
}

function versionOf(node) {
  return execFileSync(node, ['--version'], { encoding: 'utf8' }).trim().slice(1)
}
