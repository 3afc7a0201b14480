import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { eventually } from './open-driver.ts'

const HOOK = new URL('./typescript-hook.mjs', import.meta.url).href

/** A program of this folder, run from its source in a process of its own; its lines of standard output are
 *  remembered. */
export class Child {
  readonly lines: string[] = []
  readonly exited: Promise<unknown>
  readonly #process: ChildProcess
  #ended = false

  constructor(program: string, args: readonly string[], nodeArgs: readonly string[] = []) {
    const file = fileURLToPath(new URL(`./${program}.ts`, import.meta.url))
    const options = ['--conditions', '@oslo-messaging/source', '--import', HOOK, ...nodeArgs]
    this.#process = spawn(process.execPath, [...options, file, ...args], { stdio: ['ignore', 'pipe', 'inherit'] })
    this.exited = once(this.#process, 'close').then(() => {
      this.#ended = true
    })
    const { stdout } = this.#process
    if (stdout !== null) createInterface({ input: stdout }).on('line', (line) => this.lines.push(line))
  }

  /** Waits until a line matches. */
  async until(check: (lines: readonly string[]) => boolean, what: string, timeoutMs = 60_000): Promise<void> {
    await eventually(() => this.#ended || check(this.lines), what, timeoutMs)
    if (!check(this.lines)) throw new Error(`The child process ended before: ${what}`)
  }

  /** kill -9. Resolves when the process is gone and everything it wrote was read. */
  async kill(): Promise<void> {
    this.#process.kill('SIGKILL')
    await this.exited
  }
}
