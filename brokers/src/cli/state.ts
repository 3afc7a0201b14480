import { mkdir, readFile, rename, rm, rmdir, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

import type { BrokerName, HostPort } from '../broker.ts'
import { isAlive } from '../process-identity.ts'

export const NAMES: readonly BrokerName[] = ['rabbit', 'kafka', 'artemis', 'broker-j', 'nats', 'redis']

/** A broker that `up` left running, as its keeper wrote it down. */
export interface RunningBroker {
  readonly name: BrokerName
  readonly version: string
  readonly source: string
  readonly url: string
  readonly hosts: readonly HostPort[]
  /** Process ids of the broker itself. */
  readonly pids: readonly number[]
  /** The keeper: the broker dies with it. */
  readonly keeper: { readonly pid: number; readonly identity: string }
}

/** Where `up` writes down what it started: OSLO_MESSAGING_BROKER_STATE, else `.brokers` in the root of this clone,
 *  so that two clones keep brokers of their own. */
export const STATE_FOLDER: string = path.resolve(
  process.env['OSLO_MESSAGING_BROKER_STATE'] ?? fileURLToPath(new URL('../../../.brokers', import.meta.url)),
)

export function stateFile(name: BrokerName): string {
  return path.join(STATE_FOLDER, `${name}.json`)
}

/** Written in one step: a reader sees all of it or nothing. */
export async function writeState(state: RunningBroker): Promise<void> {
  await mkdir(STATE_FOLDER, { recursive: true })
  const draft = `${stateFile(state.name)}.${process.pid}`
  await writeFile(draft, `${JSON.stringify(state, null, 2)}\n`)
  await rename(draft, stateFile(state.name))
}

/** The broker of this name that runs, or undefined; what a dead keeper left behind is cleared away. */
export async function readState(name: BrokerName): Promise<RunningBroker | undefined> {
  const text = await readFile(stateFile(name), 'utf8').catch(() => '')
  if (text === '') return undefined
  const state = JSON.parse(text) as RunningBroker
  if (isAlive(state.keeper.pid, state.keeper.identity)) return state
  await rm(stateFile(name), { force: true })
  return undefined
}

export async function readAllStates(): Promise<RunningBroker[]> {
  const states = await Promise.all(NAMES.map((name) => readState(name)))
  return states.filter((state) => state !== undefined)
}

/** Removes what `up` wrote for brokers that no longer run: their logs and, with the last of them, the service.conf. */
export async function tidyUp(names: readonly BrokerName[]): Promise<void> {
  const files = names.flatMap((name) => [stateFile(name), path.join(STATE_FOLDER, `${name}.log`)])
  if ((await readAllStates()).length === 0) files.push(path.join(STATE_FOLDER, 'service.conf'))
  await Promise.all(files.map((file) => rm(file, { force: true })))
  // Only when nothing else is in it.
  await rmdir(STATE_FOLDER).catch(() => undefined)
}
