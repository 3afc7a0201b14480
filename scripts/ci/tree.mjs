import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { root } from './tools.mjs'

/** Lines of `git status`: what differs from the last commit, and what is neither committed nor ignored. None in an
 *  unpacked archive. */
export function gitState() {
  if (!existsSync(join(root, '.git'))) return []
  const text = execFileSync('git', ['status', '--porcelain', '--untracked-files=all'], { cwd: root, encoding: 'utf8' })
  return text.split('\n').filter((line) => line !== '')
}
