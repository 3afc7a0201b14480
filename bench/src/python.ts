import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { NEWEST_PYTHON, pythonWithLibrary, type PythonRelease } from '@oslo-messaging/brokers'
import type { Turn } from './turn.ts'

export interface PythonProcess extends AsyncDisposable {
  /** Hands it a task and resolves to its answer. */
  ask(task: object): Promise<unknown>
  /** The next answer of a task that has several. */
  next(): Promise<unknown>
}

/** Starts `python/<program>.py` with the real oslo.messaging. Rejects with BrokerUnavailable where there is no Python
 *  for it. */
export async function startPython(
  program: string,
  args: readonly string[],
  release: PythonRelease = NEWEST_PYTHON,
): Promise<PythonProcess> {
  const file = fileURLToPath(new URL(`../python/${program}.py`, import.meta.url))
  // -P: the folder of the programs stays out of the import path, or amqp.py and kafka.py would hide the packages of
  // those names.
  const child = spawn(await pythonWithLibrary(release), ['-P', '-u', file, ...args], {
    stdio: ['pipe', 'pipe', 'ignore'],
  })
  const ended = once(child, 'close')
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  const next = async (): Promise<unknown> => {
    const { value, done } = await lines.next()
    if (done === true) throw new Error(`${program}.py ended with exit code ${child.exitCode}`)
    return JSON.parse(value)
  }
  await next()
  return {
    async ask(task) {
      child.stdin.write(`${JSON.stringify(task)}\n`)
      return await next()
    },
    next,
    async [Symbol.asyncDispose]() {
      child.stdin.end()
      const timer = setTimeout(() => child.kill('SIGKILL'), 5_000)
      await ended
      clearTimeout(timer)
    },
  }
}

/** What a Python program measured, as a turn; it gives one mean latency. */
export function pythonTurn(answer: unknown): Turn {
  const turn = answer as Omit<Turn, 'latenciesMs'>
  return { ...turn, latenciesMs: [turn.elapsedMs / turn.operations] }
}
