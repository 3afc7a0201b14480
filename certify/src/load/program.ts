import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'

/** A program of this package in a process of its own; `onLine` gets the lines of its standard output. */
export class Program {
  readonly #process: ChildProcess
  readonly #ended: Promise<number | null>

  constructor(file: URL, args: readonly string[], onLine: (line: string) => void) {
    this.#process = spawn(process.execPath, [file.pathname, ...args], { stdio: ['pipe', 'pipe', 'inherit'] })
    const { stdout } = this.#process
    const closed = once(this.#process, 'close') as Promise<[number | null]>
    const read = new Promise<void>((resolve, reject) => {
      if (stdout === null) return reject(new Error('The program has no standard output'))
      createInterface({ input: stdout }).on('line', onLine).once('close', resolve)
    })
    this.#ended = Promise.all([closed, read]).then(([[code]]) => code)
  }

  /** Closes its standard input, which asks a program that works until then to end. */
  finish(): void {
    this.#process.stdin?.end()
  }

  /** Resolves when it has ended well and every line was read. Rejects when it failed. */
  async ended(): Promise<void> {
    const code = await this.#ended
    if (code !== 0) throw new Error(`a program of the certification ended with ${code ?? 'a signal'}`)
  }

  kill(): void {
    this.#process.kill('SIGKILL')
  }
}
