import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

/** The other side of a workload, in a process of its own. */
export interface ServerProcess extends AsyncDisposable {
  /** Hands it a task, after the tasks before, and waits for the answer. */
  ask(task: unknown): Promise<unknown>
}

/** Starts `servers/<name>` and waits until it says that it is ready. */
export async function startServer(name: string, args: readonly string[]): Promise<ServerProcess> {
  const file = fileURLToPath(new URL(`./servers/${name}.js`, import.meta.url))
  const child = fork(file, [...args], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] })
  const ended = once(child, 'exit')
  const next = async (): Promise<unknown> => {
    const answer = await Promise.race([once(child, 'message'), ended.then(() => undefined)])
    if (answer === undefined) throw new Error(`${name} ended with exit code ${child.exitCode}`)
    return answer[0]
  }
  await next()
  let last: Promise<unknown> = Promise.resolve()
  const perform = async (before: Promise<unknown>, task: unknown): Promise<unknown> => {
    // Answers bear no name: two tasks at once would take each other's.
    await before
    const answer = next()
    child.send(task as object)
    return await answer
  }
  return {
    async ask(task) {
      last = perform(last, task)
      return await last
    },
    async [Symbol.asyncDispose]() {
      // Losing its channel is the sign to end.
      if (child.connected) child.disconnect()
      const timer = setTimeout(() => child.kill('SIGKILL'), 5_000)
      await ended
      clearTimeout(timer)
    },
  }
}

/** Called by a server process: says it is ready, answers tasks, and calls `close` when the parent lets go or is
 *  gone. */
export function serve(close: () => Promise<void>, answer?: (task: unknown) => Promise<unknown>): void {
  process.on('disconnect', () => {
    close().then(
      () => process.exit(0),
      (error: unknown) => {
        console.error(error)
        process.exit(1)
      },
    )
  })
  process.on('message', (task) => {
    void Promise.resolve(answer?.(task)).then((result) => process.send?.(result ?? null))
  })
  process.send?.('ready')
}
