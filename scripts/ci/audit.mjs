import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ExpectedError } from '../door/processes.mjs'
import { packagesThatCome } from './supply-chain.mjs'
import { verdict } from './tools.mjs'

/** Advisories that do not concern these packages, each with its reason and the day it is looked at again:
 *  `{ id: { reason, until } }`. */
const ALLOWED = {}

const PATIENCE_MS = 60_000

/** Nobody could be asked, so nothing is known. */
class NoSource extends ExpectedError {
  constructor(reason) {
    super(`No source of advisories answers, so it is not known whether there are any: ${reason}`)
  }
}

/** `npm run audit`: fails for each advisory that is not allowed, and when nobody can be asked. */
export function audit() {
  const { open, summary } = advisories()
  for (const line of [...open, summary]) console.log(line)
  return open.length === 0 ? 0 : 1
}

/** The step of CI: fails for each advisory that is not allowed. Where nobody can be asked it has neither passed nor
 *  failed, and the summary says so: a machine without such a registry can still check all the rest. */
export function checkAdvisories() {
  try {
    const { open, summary } = advisories()
    return verdict(open, summary)
  } catch (error) {
    if (!(error instanceof NoSource)) throw error
    return { passed: 0, failed: 0, notes: [error.message] }
  }
}

/** What the registry knows against the packages that come with ours. Throws NoSource. */
function advisories() {
  const packages = packagesThatCome()
  const report = reported(packages)
  const found = new Map()
  for (const { via } of Object.values(report.vulnerabilities)) {
    // A word in `via` is the name of a package that has an entry of its own.
    for (const each of via) if (typeof each === 'object') found.set(each.url.split('/').at(-1), each)
  }
  const today = new Date().toISOString().slice(0, 10)
  const open = [...found]
    .filter(([id]) => !(ALLOWED[id]?.until >= today))
    .map(([id, { severity, name, range, title }]) => `${id} ${severity} ${name} ${range}: ${title}`)
  const summary = `${packages.length} packages, ${open.length} advisories, ${found.size - open.length} allowed with a reason`
  return { open, summary }
}

/** The answer to `npm audit`, asked of a lockfile that names these packages: npm's own way to ask works at each
 *  registry that knows of advisories, that of pnpm 10 has been taken away. */
function reported(packages) {
  const folder = mkdtempSync(join(tmpdir(), 'oslo-messaging-audit-'))
  try {
    const name = 'oslo-messaging-audit'
    const dependencies = Object.fromEntries(packages.map((each) => [each.name, each.version]))
    const entries = packages.map((each, index) => {
      const isFirst = packages.findIndex((other) => other.name === each.name) === index
      return isFirst
        ? [`node_modules/${each.name}`, { version: each.version }]
        : [`node_modules/${each.name}-${each.version}`, { name: each.name, version: each.version }]
    })
    const lock = { name, lockfileVersion: 3, packages: { '': { name, dependencies }, ...Object.fromEntries(entries) } }
    writeFileSync(join(folder, 'package.json'), JSON.stringify({ name, private: true, dependencies }))
    writeFileSync(join(folder, 'package-lock.json'), JSON.stringify(lock))
    return parsed(answerOf(folder))
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

function answerOf(folder) {
  const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm'
  const words = ['audit', '--json', '--package-lock-only', '--fetch-retries=0']
  try {
    return execFileSync(npm, words, {
      cwd: folder,
      encoding: 'utf8',
      timeout: PATIENCE_MS,
      stdio: ['ignore', 'pipe', 'ignore'],
    })
  } catch (error) {
    // It exits with 1 when there are advisories, and then says them.
    return error.stdout ?? ''
  }
}

/** What is no report, a page of a proxy perhaps, tells of no advisories. */
function parsed(text) {
  let report
  try {
    report = JSON.parse(text)
  } catch {
    throw new NoSource(text.trim().split('\n')[0].slice(0, 200) || 'npm audit says nothing')
  }
  if (report.vulnerabilities === undefined)
    throw new NoSource(`npm audit says ${report.message ?? report.error?.summary ?? text.trim().slice(0, 200)}`)
  return report
}
