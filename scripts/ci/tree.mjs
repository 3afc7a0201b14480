import { execFileSync } from 'node:child_process'
import { root } from './tools.mjs'

/** Lines of `git status`: what differs from the last commit, and what is neither committed nor ignored. */
export function gitState() {
  const text = execFileSync('git', ['status', '--porcelain', '--untracked-files=all'], { cwd: root, encoding: 'utf8' })
  return text.split('\n').filter((line) => line !== '')
}
