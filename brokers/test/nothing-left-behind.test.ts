import { existsSync } from 'node:fs'

import { expect, it } from 'vitest'

import { poll } from '../src/deadline.ts'
import { isAlive } from '../src/process-identity.ts'
import { startOrphan } from './support/start-orphan.ts'

it('kill -9 of the program that started it ends a process and removes its folder', async () => {
  const { program, facts } = await startOrphan('stand-in')
  const [pid = 0] = facts.pids
  expect(isAlive(pid)).toBe(true)
  program.kill('SIGKILL')
  const late = (): Error => new Error(`${pid} or ${facts.folder} is still there`)
  await poll(() => (!isAlive(pid) && !existsSync(facts.folder ?? '')) || undefined, { timeoutMs: 10_000, late })
})
