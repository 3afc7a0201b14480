import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

import type { ConfigOverrides } from '@oslo-messaging/core'

import { Inbox } from '../../test/support/inbox.ts'
import { PythonSide, type PythonSideOptions } from '../python-side.ts'
import type { SeenRequest } from '../side.ts'

/** A server with a process of its own, whichever library it is. */
export interface Killable extends AsyncDisposable {
  readonly requests: Inbox<SeenRequest>
  /** SIGKILL; resolves when the process is gone. */
  kill(): Promise<void>
}

export async function killablePython(options: PythonSideOptions, topic: string): Promise<Killable> {
  const side = await PythonSide.start(options)
  const { requests } = await side.serve({ topic, server: 'one' })
  const kill = async (): Promise<void> => await side[Symbol.asyncDispose]()
  return { requests, kill, [Symbol.asyncDispose]: kill }
}

const PROGRAM = fileURLToPath(new URL('./server-process.ts', import.meta.url))
const HOOK = new URL('../../../packages/kafka/test/support/typescript-hook.mjs', import.meta.url).href
/** A loaded machine compiles the sources slowly. */
const START_PATIENCE_MS = 60_000

export async function killableOurs(url: string, overrides: ConfigOverrides, topic: string): Promise<Killable> {
  const options = ['--conditions', '@oslo-messaging/source', '--import', HOOK]
  // Its input closes with this process, and it ends.
  const child = spawn(process.execPath, [...options, PROGRAM, url, JSON.stringify(overrides), topic], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  const exited = once(child, 'close')
  const requests = new Inbox<SeenRequest>()
  const ready = new Inbox<string>()
  createInterface({ input: child.stdout }).on('line', (line) => {
    if (line === 'ready') ready.add(line)
    else requests.add(JSON.parse(line) as SeenRequest)
  })
  const kill = async (): Promise<void> => {
    end(child)
    await exited
  }
  const gone = exited.then(([code]) => Promise.reject(new Error(`Our server ended with ${code} before it was ready`)))
  try {
    await Promise.race([ready.atLeast(1, undefined, START_PATIENCE_MS), gone])
  } catch (error) {
    await kill()
    throw error
  }
  gone.catch(() => undefined)
  return { requests, kill, [Symbol.asyncDispose]: kill }
}

function end(child: ChildProcess): void {
  if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL')
}
