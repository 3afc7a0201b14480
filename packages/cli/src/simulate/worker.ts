import type { MessagingConfig } from '@oslo-messaging/core'
import type { Io } from '../io.ts'
import { clockSince, type SimulatedEvent } from './event.ts'
import { Journal } from './journal.ts'
import { generate } from './load.ts'
import { Stage, type StageFacts } from './stage.ts'

/** What one worker does. It goes to another process as JSON. */
export interface WorkerPlan {
  readonly topic: string
  readonly rpcUrl: string
  readonly notifyUrl: string
  readonly profile: 'rpc' | 'notify' | 'hybrid'
  /** Which of the servers and listeners of the run are its own, from 0. */
  readonly servers: readonly number[]
  /** How many there are in all. */
  readonly members: number
  readonly sends: boolean
  readonly numbers: { readonly first: number; readonly step: number }
  /** Messages a second, and most under way, of this worker. */
  readonly rate: number
  readonly concurrency: number
  readonly bytes: number
  readonly durationMs: number
  readonly timeoutMs: number
  readonly configFile: readonly string[]
  readonly configDir: readonly string[]
  /** What the library logs goes to stderr. */
  readonly debug: boolean
}

/** One side of a run, or all of it: in this process, in another one, or Python's. */
export interface Worker {
  /** Resolves when its servers and clients are up. */
  open(): Promise<StageFacts>
  /** Sends its share on the clock of the run; resolves when the last has ended. `signal` ends it early. */
  send(beganAtNs: bigint, signal: AbortSignal): Promise<void>
  /** Everything that is still under way arrives or is given up; nothing is told afterwards. Idempotent. Rejects when it
   *  ended before it had told everything, if no step before has said so. */
  close(): Promise<void>
}

/** Hears what the workers tell. */
export type Tell = (events: readonly SimulatedEvent[]) => void

/** A worker inside this process. */
export class LocalWorker implements Worker {
  readonly #plan: WorkerPlan
  readonly #tell: Tell
  readonly #stage: Stage
  #closing: Promise<void> | undefined

  constructor(plan: WorkerPlan, conf: MessagingConfig, io: Io, tell: Tell) {
    this.#plan = plan
    this.#tell = tell
    this.#stage = new Stage(plan, conf, io)
  }

  async open(): Promise<StageFacts> {
    return await this.#stage.open()
  }

  async send(beganAtNs: bigint, signal: AbortSignal): Promise<void> {
    this.#stage.begin(new Journal(clockSince(beganAtNs), (event) => this.#tell([event]), this.#plan.numbers))
    if (this.#plan.sends) await generate({ ...this.#plan, signal }, async () => await this.#stage.send())
  }

  async close(): Promise<void> {
    await (this.#closing ??= this.#stage.close())
  }
}
