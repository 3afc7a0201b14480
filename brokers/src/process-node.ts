import { type ChildProcess, spawn } from 'node:child_process'
import { mkdir, open, readFile } from 'node:fs/promises'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

import type { BrokerNode } from './broker.ts'
import { poll } from './deadline.ts'
import { BrokerStartFailed } from './errors.ts'
import { isAlive, processState } from './process-identity.ts'
import { tied } from './run.ts'
import type { Workspace } from './workspace.ts'

export interface ProcessNodeOptions {
  /** `rabbit`, `kafka`: for messages. */
  readonly broker: string
  readonly name: string
  readonly host: string
  readonly port: number
  readonly command: string
  readonly args: readonly string[]
  readonly env: NodeJS.ProcessEnv
  readonly cwd?: string
  readonly workspace: Workspace
  /** Both outputs are appended here; its end is shown when the start fails. */
  readonly logFile: string
  /** Asks once whether the protocol answers. */
  readonly answers: () => Promise<boolean>
  /** Default 120 s: a busy machine with two cores is slow, not broken. */
  readonly readyTimeoutMs?: number
  /** Time for an orderly stop before SIGKILL. Default 20 s. */
  readonly stopTimeoutMs?: number
}

interface Running {
  readonly child: ChildProcess
  readonly pid: number
  /** Resolves to how it ended. */
  readonly exited: Promise<string>
}

/** A broker process tied to this one: on Linux the kernel kills it when this process ends, elsewhere the janitor
 *  does. */
export class ProcessNode implements BrokerNode {
  readonly name: string
  readonly host: string
  readonly port: number
  readonly #options: ProcessNodeOptions
  #running: Running | undefined

  constructor(options: ProcessNodeOptions) {
    this.name = options.name
    this.host = options.host
    this.port = options.port
    this.#options = options
  }

  get #label(): string {
    return `${this.#options.broker} ${this.name}`
  }

  get pid(): number | undefined {
    return this.#running?.pid
  }

  async start(): Promise<void> {
    if (this.#running !== undefined) return
    const running = await this.#spawn()
    let ended: string | undefined
    void running.exited.then((how) => (ended = how))
    const timeoutMs = this.#options.readyTimeoutMs ?? 120_000
    try {
      await poll(
        async () => {
          if (ended !== undefined) throw await this.#failure(`it ended with ${ended}`)
          return (await this.#options.answers()) || undefined
        },
        {
          timeoutMs,
          late: () => new BrokerStartFailed(this.#label, `no answer on port ${this.port} within ${timeoutMs} ms`, ''),
        },
      )
    } catch (error) {
      await this.kill()
      throw error
    }
  }

  async stop(): Promise<void> {
    const running = this.#running
    if (running === undefined) return
    running.child.ref()
    signal(running.pid, 'SIGCONT')
    signal(running.pid, 'SIGTERM')
    const patience = new AbortController()
    const late = sleep(this.#options.stopTimeoutMs ?? 20_000, undefined, { signal: patience.signal }).catch(
      () => undefined,
    )
    await Promise.race([running.exited, late])
    patience.abort()
    await this.kill()
  }

  async kill(): Promise<void> {
    const running = this.#running
    if (running === undefined) return
    running.child.ref()
    signal(running.pid, 'SIGKILL')
    await running.exited
  }

  async freeze(): Promise<void> {
    const pid = this.#running?.pid
    if (pid === undefined) return
    signal(pid, 'SIGSTOP')
    // A signal is not a fact yet: until the kernel has stopped its last thread the process may still answer.
    await poll(() => ['T', ''].includes(processState(pid)) || undefined, {
      timeoutMs: 5000,
      everyMs: 2,
      late: () => new Error(`Process ${pid} does not stop`),
    })
  }

  async thaw(): Promise<void> {
    if (this.#running !== undefined) signal(this.#running.pid, 'SIGCONT')
  }

  async #spawn(): Promise<Running> {
    const { command, args, env, cwd, workspace, logFile } = this.#options
    await mkdir(path.dirname(logFile), { recursive: true })
    const log = await open(logFile, 'a')
    try {
      const [program, ...rest] = await tied(command, args)
      // A group of its own: Ctrl-C goes to the person's program, which then stops its brokers in order.
      const child = spawn(program, rest, {
        env,
        cwd: cwd ?? workspace.folder,
        stdio: ['ignore', log.fd, log.fd],
        detached: true,
      })
      // A program that forgets its broker ends all the same, and takes the broker with it.
      child.unref()
      const { pid } = child
      const exited = new Promise<string>((resolve) => {
        child.once('error', (error) => resolve(error.message))
        child.once('exit', (code, by) => resolve(by === null ? `exit status ${code}` : by))
      })
      if (pid === undefined) throw new BrokerStartFailed(this.#label, await exited, '')
      await workspace.adopt('pids', String(pid))
      const running: Running = {
        child,
        pid,
        exited: exited.then(async (how) => {
          if (this.#running === running) this.#running = undefined
          await workspace.disown('pids', String(pid))
          return how
        }),
      }
      this.#running = running
      return running
    } finally {
      await log.close()
    }
  }

  async #failure(problem: string): Promise<BrokerStartFailed> {
    const text = await readFile(this.#options.logFile, 'utf8').catch(() => '')
    return new BrokerStartFailed(this.#label, problem, text.split('\n').slice(-30).join('\n'))
  }
}

function signal(pid: number, name: NodeJS.Signals): void {
  if (isAlive(pid)) process.kill(pid, name)
}
