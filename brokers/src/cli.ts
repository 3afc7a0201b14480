#!/usr/bin/env node
import path from 'node:path'

import type { BrokerName } from './broker.ts'
import { type Arguments, readArguments, USAGE, UsageError } from './cli/arguments.ts'
import { takeDown } from './cli/down.ts'
import { writeServiceConf } from './cli/service-conf.ts'
import { NAMES, readAllStates, STATE_FOLDER, tidyUp } from './cli/state.ts'
import { statusLines } from './cli/status.ts'
import { ensureUp } from './cli/up.ts'
import { fromEnvironment } from './environment.ts'
import { fetchBroker } from './fetch.ts'

const DEFAULT_NAMES: readonly BrokerName[] = ['rabbit', 'kafka']

function print(...lines: string[]): void {
  for (const line of lines) process.stdout.write(`${line}\n`)
}

async function up(args: Arguments): Promise<void> {
  const hybrid = args.rpc !== undefined || args.notify !== undefined || args.conf !== undefined
  const buses = { rpc: args.rpc ?? 'rabbit', notify: args.notify ?? 'kafka' }
  const wanted = new Set<BrokerName>([...args.names, ...(hybrid ? [buses.rpc, buses.notify] : [])])
  if (wanted.size === 0) for (const name of DEFAULT_NAMES) wanted.add(name)
  const urls = new Map<BrokerName, string>()
  const results = await Promise.allSettled(
    [...wanted].map(async (name) => {
      const version = args.versions[name]
      // A version is asked for by those who want that broker and no other.
      const given = version === undefined ? fromEnvironment(name) : undefined
      const { url } = given ?? (await ensureUp(name, version === undefined ? {} : { version }))
      urls.set(name, url)
      print(`${name.padEnd(8)} ${given === undefined ? url : 'named by the environment, nothing started'}`)
    }),
  )
  for (const result of results) {
    if (result.status === 'fulfilled') continue
    process.stderr.write(`${result.reason instanceof Error ? result.reason.message : String(result.reason)}\n`)
    process.exitCode = 1
  }
  const rpc = urls.get(buses.rpc)
  const notify = urls.get(buses.notify)
  if (!hybrid || rpc === undefined || notify === undefined) return
  const file = path.resolve(args.conf ?? path.join(STATE_FOLDER, 'service.conf'))
  await writeServiceConf(file, { rpc, notify })
  print(`service.conf: ${file}`)
}

async function down(args: Arguments): Promise<void> {
  const states = (await readAllStates()).filter(({ name }) => args.names.length === 0 || args.names.includes(name))
  await Promise.all(states.map((state) => takeDown(state)))
  await tidyUp(args.names.length === 0 ? NAMES : args.names)
  print(states.length === 0 ? 'nothing was up' : `stopped ${states.map(({ name }) => name).join(', ')}`)
}

async function status(): Promise<void> {
  const lines = await statusLines(await readAllStates())
  print(...(lines.length === 0 ? ['nothing is up'] : lines))
}

/** The first of `candidates` that runs carries the bus. */
async function env(args: Arguments): Promise<void> {
  const states = new Map((await readAllStates()).map((state) => [state.name, state.url]))
  const pick = (...candidates: (BrokerName | undefined)[]): string | undefined =>
    candidates.flatMap((name) => (name === undefined ? [] : [states.get(name)])).find((url) => url !== undefined)
  const rpc = args.rpc === undefined ? pick('rabbit', 'artemis', 'nats', 'redis') : pick(args.rpc)
  const notify = args.notify === undefined ? pick('kafka', 'rabbit', 'artemis', 'nats', 'redis') : pick(args.notify)
  if (rpc === undefined && notify === undefined) throw new UsageError('Nothing is up: say first: npm run brokers -- up')
  if (rpc !== undefined) print(`export RPC_TRANSPORT_URL='${rpc}'`)
  if (notify !== undefined) print(`export NOTIFY_TRANSPORT_URL='${notify}'`)
}

async function fetch(args: Arguments): Promise<void> {
  const names = args.names.length === 0 ? NAMES : args.names
  await Promise.all(names.map((name) => fetchBroker(name, args.versions[name])))
}

const COMMANDS: Readonly<Record<Arguments['command'], (args: Arguments) => Promise<void>>> = {
  up,
  down,
  status,
  env,
  fetch,
  help: async () => print(USAGE),
}

try {
  const args = readArguments(process.argv.slice(2))
  await COMMANDS[args.command](args)
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`)
  process.exitCode = error instanceof UsageError ? 2 : 1
}
