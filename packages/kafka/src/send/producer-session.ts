import {
  type Clock,
  type ComponentHealth,
  createBackoff,
  Deadline,
  emitDiagnostic,
  isMessagingError,
  type Logger,
  type MessagingError,
  Supervisor,
} from '@oslo-messaging/core/driver'
import type { ClientFault, CompressionCodec, KafkaClient, ProducerPort } from '../port/client-port.ts'
import { isFatal, kindOf, mapFault, reasonOf, toFault } from '../port/map-error.ts'

/** The broker's own patience with its replicas. Below the client's request timeout, so that the broker's answer is the
 *  one that is heard. */
const CONFIRM_TIMEOUT_MS = 10_000
/** A failure for good is tried again by the first send after so long: permissions and passwords do get corrected. */
const RETRY_FAILED_MS = 1000

export interface ProducerSessionOptions {
  readonly client: KafkaClient
  readonly codec: CompressionCodec
  readonly host: string
  /** What it is called in health and diagnostics. */
  readonly name: string
  readonly logger: Logger
  readonly clock: Clock
  readonly random: () => number
}

/** One numbered session with the brokers. The broker recognizes a repeated request only within one session. */
export interface Session {
  readonly port: ProducerPort
  readonly number: number
  readonly idempotent: boolean
}

/** Keeps a producer session up. It is made by the first use, mended after a loss and replaced only when its numbering
 *  can no longer be trusted. */
export class ProducerSession {
  readonly #options: ProducerSessionOptions
  #supervisor: Supervisor
  #session: Session | undefined
  /** Those who wait since the last attempt, by the attempts they allow: a hundred thousand messages may. */
  readonly #comingUp = new Map<number, Promise<void>>()
  #count = 0
  #idempotent = true
  #used = false
  #closed = false

  constructor(options: ProducerSessionOptions) {
    this.#options = options
    this.#supervisor = this.#createSupervisor()
  }

  get isUp(): boolean {
    return this.#supervisor.isUp
  }

  /** Why it is not up; undefined while it is. */
  get error(): unknown {
    return this.#supervisor.error
  }

  /** The session, if it is up. */
  get current(): Session | undefined {
    return this.#supervisor.isUp ? this.#session : undefined
  }

  /** The session, once it is up. Rejects with a MessagingError when it cannot come up for good. */
  async ready(): Promise<Session> {
    this.#used = true
    if (this.#supervisor.state === 'failed') {
      if (this.#options.clock.wallTime() - this.#supervisor.sinceMs < RETRY_FAILED_MS) throw this.#supervisor.error
      this.#supervisor = this.#createSupervisor()
    }
    for (let session = this.current; ; session = this.current) {
      if (session !== undefined) return session
      // The wait below would be over at once, and the next one too: nothing else would ever run.
      if (this.#supervisor.isUp) this.#supervisor.lost(new Error('The session was given up'))
      await this.#supervisor.ready(Deadline.after(null), { phase: 'connect', delivery: 'not-sent' })
    }
  }

  /** Resolves once it is up. Rejects with MessageDeliveryFailure when more than so many attempts to come up have failed
   *  from now on. */
  comesUp(retries: number): Promise<void> {
    let waiting = this.#comingUp.get(retries)
    if (waiting === undefined) {
      waiting = this.#supervisor.ready(Deadline.after(null), { phase: 'connect', delivery: 'not-sent' }, { retries })
      waiting.catch(() => {})
      this.#comingUp.set(retries, waiting)
    }
    return waiting
  }

  /** Says that requests do not get through. */
  lost(fault: ClientFault): void {
    if (this.#supervisor.isUp) this.#supervisor.lost(this.#map(fault))
  }

  /** Gives the session up because its numbering cannot be trusted any more; the next `ready` makes another. */
  renew(session: Session, why: string): void {
    if (this.#session !== session) return
    this.#options.logger.debug('kafka producer session is replaced', { why })
    this.#session = undefined
    void session.port.disconnect()
    // Also while it is being mended: what comes of that is not wanted any more.
    this.#supervisor.lost(new Error(why))
  }

  health(): readonly ComponentHealth[] {
    if (!this.#used) return []
    const { state, sinceMs, reason } = this.#supervisor
    return [
      {
        kind: 'publisher',
        name: this.#options.name,
        state,
        sinceMs,
        host: this.#options.host,
        ...(reason === undefined ? {} : { reason }),
      },
    ]
  }

  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    this.#supervisor.close()
    await this.#session?.port.disconnect()
  }

  #createSupervisor(): Supervisor {
    const { clock, random, logger, name } = this.#options
    return new Supervisor({
      establish: async (signal) => await this.#establish(signal),
      classify: (error) => (isMessagingError(error) && !error.retryable ? 'fatal' : 'retry'),
      backoff: createBackoff({ initialMs: 50, factor: 2, maxMs: 2000, random }),
      upState: 'connected',
      clock,
      onChange: ({ state, previous, error, attempt, retryInMs }) => {
        this.#comingUp.clear()
        emitDiagnostic('oslo-messaging:state', () => ({
          driver: 'kafka',
          kind: 'publisher',
          name,
          state,
          previous,
          error,
          attempt,
          ...(retryInMs === undefined ? {} : { retryInMs }),
        }))
        if (state === 'failed') logger.error(`kafka publisher failed for good: ${reasonOf(error)}`, { error })
        else if (state === 'recovering' && previous !== 'recovering')
          logger.warn(`kafka publisher is recovering: ${reasonOf(error)}`, { error })
      },
    })
  }

  async #establish(signal: AbortSignal): Promise<void> {
    const held = this.#session
    if (held === undefined) {
      const session = await this.#open()
      this.#session = session
      if (signal.aborted) await session.port.disconnect()
      return
    }
    await this.#connect(held.port)
    if (signal.aborted || this.#session !== held) await held.port.disconnect()
    if (this.#session !== held) throw new Error('The session was given up while it was being mended')
  }

  async #open(): Promise<Session> {
    const { client, codec, logger } = this.#options
    const port = client.createProducer({
      compression: codec,
      idempotent: this.#idempotent,
      timeoutMs: CONFIRM_TIMEOUT_MS,
    })
    try {
      await this.#connect(port)
    } catch (error) {
      await port.disconnect()
      if (this.#idempotent && isRefusedIdempotence(error)) {
        this.#idempotent = false
        logger.info(
          'The broker does not allow idempotent sends to this user; a send whose outcome is unknown is not repeated',
        )
        return await this.#open()
      }
      throw error
    }
    this.#count += 1
    return { port, number: this.#count, idempotent: this.#idempotent }
  }

  async #connect(port: ProducerPort): Promise<void> {
    try {
      await port.connect()
    } catch (error) {
      throw this.#map(toFault(error))
    }
  }

  #map(fault: ClientFault): MessagingError {
    return mapFault(fault, { doing: 'Connecting to Kafka', phase: 'connect', delivery: 'not-sent' })
  }
}

function isRefusedIdempotence(error: unknown): boolean {
  return isMessagingError(error) && 'brokerCode' in error && error.brokerCode === 'CLUSTER_AUTHORIZATION_FAILED'
}

/** Whether a failed produce request says something about the whole session, not only about its topic. */
export function isSessionFault(fault: ClientFault): boolean {
  if (isFatal(fault)) return fault.type !== 'TOPIC_AUTHORIZATION_FAILED' && kindOf(fault) === 'denied'
  return /^(E[A-Z]+|KafkaJSConnection\w*|KafkaJSRequestTimeout\w*|ConnectionClosed|RequestTimeout|BrokerSilent|Closed)$/.test(
    fault.type,
  )
}
