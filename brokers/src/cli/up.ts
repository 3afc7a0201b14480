import { fork } from 'node:child_process'
import { closeSync, openSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

import type { BrokerName } from '../broker.ts'
import { acquireLock } from '../cache.ts'
import { progress } from '../run.ts'
import type { BrokerOptions } from '../start.ts'
import type { KeeperMessage } from './keeper.ts'
import { readState, type RunningBroker, STATE_FOLDER, stateFile } from './state.ts'

/** The broker of this name, started under a keeper of its own unless it runs already. Rejects with what the keeper
 *  said. */
export async function ensureUp<N extends BrokerName>(name: N, options: BrokerOptions[N]): Promise<RunningBroker> {
  await mkdir(STATE_FOLDER, { recursive: true })
  const release = await acquireLock(`${stateFile(name)}.lock`, name)
  try {
    const running = await readState(name)
    if (running !== undefined) {
      if (options.version !== undefined && !running.version.startsWith(options.version)) {
        throw new Error(
          `${name} ${running.version} is up; for ${options.version} say first: npm run brokers -- down ${name}`,
        )
      }
      return running
    }
    progress(`starting ${name}`)
    await startKeeper(name, options)
    const started = await readState(name)
    if (started === undefined) throw new Error(`${name} came up and went away again; see ${logFile(name)}`)
    return started
  } finally {
    await release()
  }
}

function logFile(name: BrokerName): string {
  return path.join(STATE_FOLDER, `${name}.log`)
}

function startKeeper(name: BrokerName, options: object): Promise<void> {
  const log = openSync(logFile(name), 'a')
  const program = fileURLToPath(
    new URL(import.meta.url.endsWith('.ts') ? './keeper.ts' : './keeper.js', import.meta.url),
  )
  // Its outputs are a file: a pipe or terminal of ours would be held open for as long as the broker runs.
  const keeper = fork(program, [name, JSON.stringify(options)], { detached: true, stdio: ['ignore', log, log, 'ipc'] })
  closeSync(log)
  return new Promise((resolve, reject) => {
    keeper.on('message', (message: KeeperMessage) => {
      if (message.kind === 'progress') progress(message.line)
      else if (message.kind === 'failed') reject(new Error(message.message))
      else {
        keeper.unref()
        if (keeper.connected) keeper.disconnect()
        resolve()
      }
    })
    keeper.on('error', reject)
    keeper.on('exit', (code) => reject(new Error(`The keeper of ${name} ended with ${code}; see ${logFile(name)}`)))
  })
}
