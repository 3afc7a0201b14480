import { rm } from 'node:fs/promises'

import type { BrokerName } from '../broker.ts'
import { processIdentity } from '../process-identity.ts'
import { showProgressWith } from '../run.ts'
import { startBroker } from '../start.ts'
import { stateFile, writeState } from './state.ts'

/** The small process that `up` leaves behind for each broker. A broker is tied to the process that started it, so one
 *  must stay. Arguments: the broker's name and its options as JSON. Told to stop (SIGTERM), it ends the broker and
 *  removes its data. */

/** What the keeper tells `up`, which waits for `ready` or `failed` and then leaves. */
export type KeeperMessage =
  | { readonly kind: 'progress'; readonly line: string }
  | { readonly kind: 'ready' }
  | { readonly kind: 'failed'; readonly message: string; readonly unavailable: boolean }

const [name, options] = process.argv.slice(2) as [BrokerName, string]

function tell(message: KeeperMessage): Promise<void> {
  return new Promise((resolve) => {
    if (process.connected) process.send?.(message, () => resolve())
    else resolve()
  })
}

async function keep(): Promise<void> {
  showProgressWith((line) => void tell({ kind: 'progress', line }))
  const stopped = new Promise<void>((resolve) => {
    for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.once(signal, () => resolve())
  })
  // Nobody waits any more (Ctrl-C while it was downloading, perhaps): nobody wants the broker either.
  const abandoned = (): never => process.exit(1)
  process.once('disconnect', abandoned)
  const broker = await startBroker(name, JSON.parse(options))
  const { version, source, url, hosts, pids } = broker
  const keeper = { pid: process.pid, identity: processIdentity(process.pid) }
  await writeState({ name, version, source, url, hosts, pids, keeper })
  process.off('disconnect', abandoned)
  await tell({ kind: 'ready' })
  if (process.connected) process.disconnect()
  const awake = setInterval(() => undefined, 60_000)
  await stopped
  clearInterval(awake)
  await broker.close()
  await rm(stateFile(name), { force: true })
}

try {
  await keep()
} catch (error) {
  const message = error instanceof Error ? error.message : String(error)
  const unavailable = error instanceof Error && 'code' in error && error.code === 'BROKER_UNAVAILABLE'
  await tell({ kind: 'failed', message, unavailable })
  process.exitCode = 1
  if (process.connected) process.disconnect()
}
