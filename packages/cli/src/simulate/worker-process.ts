import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import type { Io } from '../io.ts'
import type { SimulatedEvent } from './event.ts'
import type { StageFacts } from './stage.ts'
import type { Tell, Worker, WorkerPlan } from './worker.ts'

/** One line that a worker writes. */
export type WorkerLine =
  | { readonly ready: StageFacts }
  | { readonly events: readonly SimulatedEvent[] }
  | { readonly sent: true }
  | { readonly failed: string }

/** One line that a worker reads: its plan, then when to begin (nanoseconds of the machine's clock), then when to halt.
 *  The end of its input is the sign to close. */
export type WorkerOrder = { readonly plan: WorkerPlan } | { readonly begin: string } | { readonly halt: true }

/** How long a worker may take to be up, and to close before it is ended. Python's connects for ever. */
const OPEN_MS = 60_000
const CLOSE_MS = 30_000
const WORKER = fileURLToPath(new URL('./worker-main.js', import.meta.url))
const PYTHON_WORKER = fileURLToPath(new URL('../../python/simulation_worker.py', import.meta.url))

/** The program of a worker in a process of its own. */
export interface WorkerProgram {
  readonly name: string
  readonly command: string
  readonly args: readonly string[]
}

export const NODE_WORKER: WorkerProgram = { name: 'worker', command: process.execPath, args: [WORKER] }

/** Python's oslo.messaging as a worker, by the command of a Python that has it. */
export function pythonWorker(command: string): WorkerProgram {
  return { name: 'Python worker', command, args: ['-u', PYTHON_WORKER] }
}

/** A worker in a process of its own, which reads orders and writes what happened, one JSON value a line. */
export class ProcessWorker implements Worker {
  readonly #plan: WorkerPlan
  readonly #program: WorkerProgram
  readonly #io: Io
  readonly #tell: Tell
  #child: ChildProcess | undefined
  #ended: Promise<unknown> | undefined
  #lastWords = ''
  #isClosing = false
  #wait: { readonly resolve: (line: WorkerLine) => void; readonly reject: (error: Error) => void } | undefined
  #early: WorkerLine[] = []
  #failure: Error | undefined
  #isFailureTold = false

  constructor(plan: WorkerPlan, program: WorkerProgram, io: Io, tell: Tell) {
    this.#plan = plan
    this.#program = program
    this.#io = io
    this.#tell = tell
  }

  async open(): Promise<StageFacts> {
    const { command, args } = this.#program
    const env = Object.fromEntries(Object.entries(this.#io.env).filter(([, value]) => value !== undefined))
    const child = spawn(command, [...args], {
      stdio: ['pipe', 'pipe', 'pipe'],
      env: { PATH: process.env['PATH'], ...env },
    })
    this.#child = child
    this.#ended = new Promise((resolve) => child.once('close', resolve))
    child.once('error', (error) => this.#fail(new Error(`${command} cannot be started: ${error.message}`)))
    child.once('close', (code) => {
      if (code !== 0 || !this.#isClosing)
        this.#fail(new Error(`A ${this.#program.name} ended with exit code ${code}${this.#lastWords}`))
    })
    // It may be gone when it is written to, which its end tells.
    child.stdin.on('error', () => {})
    createInterface({ input: child.stdout }).on('line', (line) => this.#read(line))
    createInterface({ input: child.stderr }).on('line', (line) => {
      this.#lastWords = `: ${line.replace(/^oslo-msg: /, '')}`
      this.#io.err(`${line}\n`)
    })
    this.#order({ plan: this.#plan })
    const line = await this.#opened()
    if ('ready' in line) return line.ready
    throw new Error(`A ${this.#program.name} began with ${JSON.stringify(line)}`)
  }

  async send(beganAtNs: bigint, signal: AbortSignal): Promise<void> {
    const halt = (): void => this.#order({ halt: true })
    signal.addEventListener('abort', halt, { once: true })
    this.#order({ begin: String(beganAtNs) })
    if (signal.aborted) halt()
    try {
      await this.#next()
    } finally {
      signal.removeEventListener('abort', halt)
    }
  }

  async close(): Promise<void> {
    const child = this.#child
    if (child === undefined) return
    this.#isClosing = true
    child.stdin?.end()
    const timer = setTimeout(() => child.kill('SIGKILL'), CLOSE_MS)
    await this.#ended
    clearTimeout(timer)
    if (this.#failure === undefined || this.#isFailureTold) return
    this.#isFailureTold = true
    throw this.#failure
  }

  /** The first line, if it comes in time and nobody presses Ctrl-C meanwhile. */
  async #opened(): Promise<WorkerLine> {
    const { signal } = this.#io
    const late = `A ${this.#program.name} was not ready within ${OPEN_MS / 1000} s: see what it logs with --debug`
    const timer = setTimeout(() => this.#fail(new Error(late)), OPEN_MS)
    const stop = (): void => this.#fail(signal.reason instanceof Error ? signal.reason : new Error('Interrupted'))
    signal.addEventListener('abort', stop, { once: true })
    if (signal.aborted) stop()
    try {
      return await this.#next()
    } finally {
      clearTimeout(timer)
      signal.removeEventListener('abort', stop)
    }
  }

  #order(order: WorkerOrder): void {
    this.#child?.stdin?.write(`${JSON.stringify(order)}\n`)
  }

  #read(text: string): void {
    let line: WorkerLine
    try {
      line = JSON.parse(text) as WorkerLine
    } catch {
      return this.#io.err(`${text}\n`)
    }
    if ('events' in line) this.#tell(line.events)
    else if ('failed' in line) this.#fail(new Error(line.failed))
    else if (this.#wait === undefined) this.#early.push(line)
    else {
      this.#wait.resolve(line)
      this.#wait = undefined
    }
  }

  /** The next line that is no event. */
  async #next(): Promise<WorkerLine> {
    const early = this.#early.shift()
    if (early !== undefined) return early
    return await new Promise((resolve, reject) => {
      this.#wait = { resolve, reject }
      if (this.#failure !== undefined) this.#fail(this.#failure)
    })
  }

  #fail(error: Error): void {
    this.#failure ??= error
    if (this.#wait === undefined) return
    this.#isFailureTold = true
    this.#wait.reject(this.#failure)
    this.#wait = undefined
  }
}

/** Whether a Python has oslo.messaging; rejects with what to do when it has not. */
export async function findPython(command: string, signal: AbortSignal): Promise<string> {
  const child = spawn(command, ['-c', 'import oslo_messaging, sys; print(sys.version_info >= (3, 9))'], {
    stdio: ['ignore', 'pipe', 'ignore'],
    signal,
  })
  let out = ''
  child.stdout.on('data', (text: Buffer) => (out += text.toString()))
  const [code] = (await once(child, 'close').catch(() => [-1])) as [number]
  if (code === 0 && out.trim() === 'True') return command
  throw new PythonUnavailable(command)
}

/** There is no Python that could be the other side. */
export class PythonUnavailable extends Error {
  constructor(command: string) {
    super(
      `${command} is no Python 3.9 or newer with oslo.messaging: install it there (pip install oslo.messaging, for Kafka "oslo.messaging[kafka]"), or name another one with --python-command`,
    )
    this.name = 'PythonUnavailable'
  }
}
