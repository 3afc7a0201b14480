import { readdir } from 'node:fs/promises'
import os from 'node:os'

import { describe, expect, it } from 'vitest'

import { poll } from '../src/deadline.ts'
import { answersAmqp091, answersTcp } from '../src/probe.ts'
import { isAlive } from '../src/process-identity.ts'
import { sharedBroker } from '../src/shared.ts'
import { skipOrFail } from '../src/skip.ts'
import { startOrphan } from './support/start-orphan.ts'

// Brokers that the environment names are not started, and containers have no process to look for.
const rabbit = await skipOrFail(sharedBroker('rabbit'))
const local = rabbit?.source === 'packages'

describe.skipIf(!local)('two programs that start a broker at the same time', () => {
  it(
    'get one each, and kill -9 of a program takes its own with it and nothing else',
    { timeout: 120_000 },
    async () => {
      const [one, other] = await Promise.all([startOrphan('rabbit'), startOrphan('rabbit')])
      const ports = [...one.facts.ports, ...other.facts.ports]
      const answers = (): Promise<boolean[]> =>
        Promise.all(ports.map((port) => answersAmqp091({ host: '127.0.0.1', port })))
      await expect(answers()).resolves.toEqual([true, true])
      one.program.kill('SIGKILL')
      const gone = (pids: readonly number[]): Promise<true> =>
        poll(() => !pids.some((pid) => isAlive(pid)) || undefined, {
          timeoutMs: 10_000,
          late: () => new Error(`${pids.join()} live on`),
        })
      await gone(one.facts.pids)
      await expect(answers()).resolves.toEqual([false, true])
      const kept = await foldersOf(one.facts.pids)
      expect(kept).toEqual([])
      other.program.kill('SIGKILL')
      await gone(other.facts.pids)
      const [port = 0] = other.facts.ports
      await expect(answersTcp({ host: '127.0.0.1', port })).resolves.toBe(false)
    },
  )
})

/** Folders of brokers whose processes are among `pids`. */
async function foldersOf(pids: readonly number[]): Promise<string[]> {
  const folders = (await readdir(os.tmpdir())).filter((name) => name.startsWith('oslo-brokers-'))
  const owners = await Promise.all(
    folders.map(async (folder) => ({ folder, pids: await readdir(`${os.tmpdir()}/${folder}/pids`).catch(() => []) })),
  )
  return owners.filter((owner) => owner.pids.some((pid) => pids.includes(Number(pid)))).map(({ folder }) => folder)
}
