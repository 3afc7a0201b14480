import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import type { Turn } from '../turn.ts'

const PROGRAM = fileURLToPath(new URL('../../python/rpc.py', import.meta.url))

/** A Python process that answers each line of JSON with another. It ends with its input, and so with this process. */
class PythonProcess implements AsyncDisposable {
  readonly #child: ChildProcessWithoutNullStreams
  readonly #lines: AsyncIterator<string>

  private constructor(child: ChildProcessWithoutNullStreams) {
    this.#child = child
    this.#lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
    child.stderr.resume()
    // One that has gone closes the pipe; whoever waits for a line is told.
    child.stdin.on('error', () => undefined)
  }

  static async start(python: string, args: readonly string[]): Promise<PythonProcess> {
    const started = new PythonProcess(spawn(python, ['-u', PROGRAM, ...args]))
    await started.next()
    return started
  }

  async ask(question: object): Promise<unknown> {
    this.#child.stdin.write(`${JSON.stringify(question)}\n`)
    return await this.next()
  }

  async next(): Promise<unknown> {
    const { value, done } = await this.#lines.next()
    if (done === true) throw new Error(`The Python process ended with exit code ${this.#child.exitCode}`)
    return JSON.parse(value)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const ended = this.#child.exitCode === null ? once(this.#child, 'exit') : undefined
    this.#child.stdin.end()
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), 5_000)
    await ended
    clearTimeout(timer)
  }
}

/** A Python client and its server, in a process each. */
export interface PythonPair extends AsyncDisposable {
  turn(options: { readonly concurrency: number; readonly durationMs: number; readonly text: string }): Promise<Turn>
}

export async function startPythonPair(python: string, url: string, topic: string): Promise<PythonPair> {
  const server = await PythonProcess.start(python, ['server', url, topic])
  const client = await PythonProcess.start(python, ['client', url, topic])
  return {
    turn: async (options) => (await client.ask(options)) as Turn,
    async [Symbol.asyncDispose]() {
      await client[Symbol.asyncDispose]()
      await server[Symbol.asyncDispose]()
    },
  }
}
