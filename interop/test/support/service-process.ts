import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

import type { ConfigOverrides } from '@oslo-messaging/core'

import { Inbox } from './inbox.ts'

const PROGRAM = fileURLToPath(new URL('./drained-service.ts', import.meta.url))
const HOOK = new URL('../../../packages/kafka/test/support/typescript-hook.mjs', import.meta.url).href
/** A loaded machine compiles the sources slowly. */
const PATIENCE_MS = 60_000

export interface Service {
  readonly url: string
  readonly topic: string
  readonly kind: 'rpc' | 'notifications'
  readonly overrides: ConfigOverrides
  /** How long the drain that SIGTERM begins may take. */
  readonly timeoutMs: number
  /** How long each handler takes. */
  readonly handlerMs: number
}

/** A service in a process of its own. */
export interface ServiceProcess extends AsyncDisposable {
  /** What handlers have begun with. */
  readonly begun: Inbox<number>
  /** What they have ended with. */
  readonly done: Inbox<number>
  /** What its drain did not wait for, with handlers and before them; 0 until it has ended. */
  readonly abandoned: number
  /** SIGTERM; resolves with the exit code. */
  end(): Promise<unknown>
  /** SIGKILL; resolves when the process is gone. */
  kill(): Promise<void>
}

/** Starts the service and resolves when it serves. */
export async function startService(service: Service): Promise<ServiceProcess> {
  const { url, topic, kind, overrides, timeoutMs, handlerMs } = service
  const given = [url, topic, kind, JSON.stringify(overrides), String(timeoutMs), String(handlerMs)]
  const child = spawn(
    process.execPath,
    ['--conditions', '@oslo-messaging/source', '--import', HOOK, PROGRAM, ...given],
    { stdio: ['pipe', 'pipe', 'inherit'] },
  )
  const exited = once(child, 'close')
  const ready = new Inbox<string>()
  const begun = new Inbox<number>()
  const done = new Inbox<number>()
  let abandoned = 0
  createInterface({ input: child.stdout }).on('line', (line) => {
    if (line === 'ready') ready.add(line)
    else if (line.startsWith('abandoned')) abandoned = Number(line.slice('abandoned'.length))
    else (line.startsWith('=') ? done : begun).add(Number(line.slice(2)))
  })
  const kill = async (): Promise<void> => {
    if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL')
    await exited
  }
  await ready.atLeast(1, undefined, PATIENCE_MS)
  return {
    begun,
    done,
    get abandoned() {
      return abandoned
    },
    async end() {
      child.kill('SIGTERM')
      const [code] = (await exited) as [unknown]
      return code
    },
    kill,
    [Symbol.asyncDispose]: kill,
  }
}
