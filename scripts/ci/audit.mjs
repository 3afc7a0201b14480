import { execFileSync } from 'node:child_process'
import { ExpectedError } from '../door/processes.mjs'
import { PNPM, root } from './tools.mjs'

/** Advisories that do not concern these packages, each with its reason and the day it is looked at again:
 *  `{ id: { reason, until } }`. */
const ALLOWED = {}

/** Asks the registry what is known against the packages that come with ours. Fails for each advisory that is not
 *  allowed, and when the registry does not answer. */
export function audit() {
  let text
  try {
    text = execFileSync('npx', ['-y', PNPM, 'audit', '--prod', '--json'], { cwd: root, encoding: 'utf8' })
  } catch (error) {
    // It exits with 1 when there are advisories, and then says them.
    text = error.stdout ?? ''
  }
  const report = parsed(text)
  if (report.advisories === undefined)
    throw new ExpectedError(
      `The registry tells nothing about advisories: ${report.error?.message ?? text.trim().slice(0, 300)}`,
    )
  const today = new Date().toISOString().slice(0, 10)
  const open = Object.values(report.advisories).filter(({ github_advisory_id: id }) => !(ALLOWED[id]?.until >= today))
  for (const { github_advisory_id: id, module_name: name, severity, title } of open)
    console.log(`${id} ${severity} ${name}: ${title}`)
  console.log(`${open.length} advisories, ${Object.keys(ALLOWED).length} allowed with a reason`)
  return open.length === 0 ? 0 : 1
}

/** What is no report, a page of a proxy perhaps, tells of no advisories. */
function parsed(text) {
  try {
    return JSON.parse(text)
  } catch {
    return {}
  }
}
