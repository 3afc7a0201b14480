import {
  createBackoff,
  createDeferred,
  Deadline,
  type DriverContext,
  type Listener,
  type MessagingError,
  reportState,
  Supervisor,
} from '@oslo-messaging/core/driver'
import type { RedisOptions } from '../config.ts'
import type { Connection, Dependent } from '../connection/connection.ts'
import { mapError } from '../connection/map-error.ts'
import { Intake, type IntakePorts, type IntakeStream } from './intake.ts'

const CONNECT = { phase: 'connect', delivery: 'not-sent' } as const

/** What a listener is made from. */
export interface ListenerParts {
  readonly name: string
  readonly streams: readonly IntakeStream[]
  readonly prefetch: number
  readonly connection: Connection
  readonly context: DriverContext<RedisOptions>
  readonly onTaken: IntakePorts['onTaken']
  readonly onTick?: NonNullable<IntakePorts['onTick']>
  /** It is closed. */
  readonly onClose: () => void
}

/** An intake through every loss of the connection. */
export class StreamListener implements Listener, Dependent {
  readonly closed: Promise<void>
  readonly supervisor: Supervisor
  readonly name: string
  readonly intake: Intake
  readonly #parts: ListenerParts
  readonly #ended = createDeferred<void>()
  #isStopped = false
  #closing: Promise<void> | undefined

  constructor(parts: ListenerParts) {
    const { name, streams, prefetch, connection, context, onTaken, onTick } = parts
    this.#parts = parts
    this.name = name
    this.closed = this.#ended.promise
    this.closed.catch(() => undefined)
    this.intake = new Intake(streams, prefetch, context, {
      onTaken,
      onGone: (error) => {
        const reason = mapError(error, connection.host)
        this.intake.lost(reason)
        this.supervisor.lost(reason)
      },
      ...(onTick === undefined ? {} : { onTick }),
    })
    this.supervisor = new Supervisor({
      establish: (signal) => this.#establish(signal),
      classify: (error) => ((error as MessagingError).retryable ? 'retry' : 'fatal'),
      backoff: createBackoff({ initialMs: 100, factor: 2, maxMs: 5000, random: context.random }),
      upState: 'consuming',
      // Somebody may give the user its rights back.
      retryFatalMs: 5000,
      clock: context.clock,
      heldUpBy: () => connection.error,
      onChange: reportState({ driver: 'redis', kind: 'listener', name, logger: context.logger }),
    })
    connection.depend(this)
  }

  lost(reason: unknown): void {
    this.intake.lost(reason)
    if (!this.#isStopped) this.supervisor.lost(reason)
  }

  async stop(): Promise<void> {
    this.#isStopped = true
    await this.intake.stop()
  }

  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #establish(signal: AbortSignal): Promise<void> {
    const { connection } = this.#parts
    const link = await connection.ready(Deadline.after(null, { signal }), CONNECT)
    try {
      await this.intake.open(link)
    } catch (error) {
      this.intake.lost(error)
      throw mapError(error, link.host)
    }
  }

  async #close(): Promise<void> {
    this.#isStopped = true
    await this.intake.close()
    this.#parts.connection.release(this)
    this.supervisor.close()
    this.#parts.onClose()
    this.#ended.resolve()
  }
}
