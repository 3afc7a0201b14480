import { spawnSync } from 'node:child_process'
import { chromiumPath } from '../chromium-path.mjs'
import { ExpectedError } from '../door/processes.mjs'
import { verdict } from './tools.mjs'

const PATIENCE_MS = 120_000

/** Has a Chromium for what opens pages, Debian's package where there is none. A machine that can have none opens no
 *  pages, which the summary says; with CHROMIUM_REQUIRED=1, as the workflow has it, it fails. */
export function haveChromium(env = process.env) {
  const before = chromiumPath(env)
  if (before !== undefined) return verdict([], `${before} is there`)
  const failure = install()
  const installed = chromiumPath(env)
  if (installed !== undefined) return verdict([], `${installed} was installed`)
  const text = `Pages are not opened, for want of a Chromium: ${failure}. CHROMIUM_PATH may name one`
  if (env.CHROMIUM_REQUIRED === '1') throw new ExpectedError(text)
  return { passed: 0, failed: 0, notes: [text] }
}

/** Runs `check`, which opens pages, where there is a Chromium to do it; the first step says why there is none. */
export async function withChromium(check, env = process.env) {
  if (chromiumPath(env) !== undefined) return await check()
  return { passed: 0, failed: 0, notes: ['Pages were not opened, for want of a Chromium'] }
}

/** What was in the way; without a Chromium after it there was something. */
function install() {
  const asRoot = process.getuid?.() === 0 ? [] : ['sudo', '--non-interactive']
  for (const words of [['update'], ['install', '--yes', '--no-install-recommends', 'chromium']]) {
    const [command, ...args] = [...asRoot, 'apt-get', '--quiet=2', ...words]
    const { error, status, stderr } = spawnSync(command, args, {
      encoding: 'utf8',
      timeout: PATIENCE_MS,
      env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
    })
    if (error !== undefined) return `${command} ${error.message}`
    if (status !== 0) return `apt-get ${words[0]} says ${stderr.trim().split('\n').at(-1)}`
  }
  return "Debian's package has no /usr/bin/chromium"
}
