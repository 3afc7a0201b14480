import { readdir } from 'node:fs/promises'
import os from 'node:os'

import { describe, expect, it } from 'vitest'

import { poll } from '../src/deadline.ts'
import { dockerAnswers } from '../src/docker.ts'
import { fetchBroker } from '../src/fetch.ts'
import { answersAmqp091, answersTcp } from '../src/probe.ts'
import { isAlive } from '../src/process-identity.ts'
import { skipOrFail } from '../src/skip.ts'
import { startOrphan } from './support/start-orphan.ts'

// Containers have no process to look for.
const local = !(await dockerAnswers()) && (await skipOrFail(fetchBroker('rabbit').then(() => true))) === true

describe.skipIf(!local)('two programs that start a broker at the same time', () => {
  it(
    'get one each, and kill -9 of a program takes its own with it and nothing else',
    { timeout: 120_000 },
    async () => {
      const [one, other] = await Promise.all([startOrphan('rabbit'), startOrphan('rabbit')])
      const ports = [...one.facts.ports, ...other.facts.ports]
      await expect(Promise.all(ports.map((port) => answersAmqp091(loopback(port))))).resolves.toEqual([true, true])
      one.program.kill('SIGKILL')
      await everythingGone(one.facts)
      await expect(Promise.all(ports.map((port) => answersAmqp091(loopback(port))))).resolves.toEqual([false, true])
      other.program.kill('SIGKILL')
      await everythingGone(other.facts)
    },
  )
})

const loopback = (port: number): { host: string; port: number } => ({ host: '127.0.0.1', port })

/** Processes, ports and folders; the kernel and the janitor take a moment for each. */
async function everythingGone(facts: {
  readonly pids: readonly number[]
  readonly ports: readonly number[]
}): Promise<void> {
  const remains = async (): Promise<string[]> => [
    ...facts.pids.filter((pid) => isAlive(pid)).map((pid) => `process ${pid}`),
    ...(await asyncFilter(facts.ports, (port) => answersTcp(loopback(port)))).map((port) => `port ${port}`),
    ...(await foldersOf(facts.pids)),
  ]
  let left = await remains()
  await poll(async () => (left = await remains()).length === 0 || undefined, {
    timeoutMs: 10_000,
    late: () => new Error(`still there: ${left.join(', ')}`),
  })
}

async function asyncFilter<T>(values: readonly T[], test: (value: T) => Promise<boolean>): Promise<T[]> {
  const kept = await Promise.all(values.map(test))
  return values.filter((_, index) => kept[index])
}

/** Folders of brokers whose processes are among `pids`. */
async function foldersOf(pids: readonly number[]): Promise<string[]> {
  const folders = (await readdir(os.tmpdir())).filter((name) => name.startsWith('oslo-brokers-'))
  return await asyncFilter(folders, async (folder) => {
    const listed = await readdir(`${os.tmpdir()}/${folder}/pids`).catch(() => [])
    return listed.some((pid) => pids.includes(Number(pid)))
  })
}
