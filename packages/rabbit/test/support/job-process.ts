/// <reference lib="esnext.disposable" />
import { type ChildProcessByStdio, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Readable, Writable } from 'node:stream'

export type Fact = Readonly<Record<string, unknown>>

/** A Node of its own, which prints one line of JSON for each fact. It runs the built packages: `npm run build`
 *  first. */
export class NodeProcess implements AsyncDisposable {
  readonly facts: Fact[] = []
  readonly exited: Promise<number | null>
  readonly #child: ChildProcessByStdio<Writable, Readable, null>
  #wake: () => void = () => {}

  /** `options` are Node's; `file` lies in this folder and gets what is `given`. */
  constructor(options: readonly string[], file: string, ...given: readonly string[]) {
    const parameters = [...options, join(import.meta.dirname, file), ...given]
    this.#child = spawn(process.execPath, parameters, { stdio: ['pipe', 'pipe', 'inherit'] })
    createInterface({ input: this.#child.stdout }).on('line', (line) => {
      this.facts.push(JSON.parse(line) as Fact)
      this.#wake()
    })
    this.exited = once(this.#child, 'close').then(([code]) => {
      this.#wake()
      return code as number | null
    })
  }

  /** The first fact with that key; rejects when the process ends without it. */
  async fact(key: string): Promise<Fact> {
    for (;;) {
      const found = this.facts.find((fact) => key in fact)
      if (found !== undefined) return found
      if (this.#child.exitCode !== null || this.#child.signalCode !== null)
        throw new Error(`The process ended (${this.#child.exitCode ?? this.#child.signalCode}) without telling ${key}`)
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
  }

  go(): void {
    this.#child.stdin.write('go\n')
  }

  terminate(signal: 'SIGTERM' | 'SIGKILL' = 'SIGTERM'): void {
    this.#child.kill(signal)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) this.#child.kill('SIGKILL')
    await this.exited
  }
}

/** One of `jobs.mjs`. */
export class JobProcess extends NodeProcess {
  /** `heapMiB`: most the heap may hold; null leaves that to Node. */
  constructor(job: string, url: string, given: object, heapMiB: number | null = 96) {
    const heap = heapMiB === null ? [] : [`--max-old-space-size=${heapMiB}`]
    super(['--expose-gc', ...heap], 'jobs.mjs', job, url, JSON.stringify(given))
  }
}
