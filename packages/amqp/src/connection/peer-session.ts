import { ClosedError, type Clock, type MessagingError } from '@oslo-messaging/core/driver'
import type { Connection, Session } from '../client/client.ts'
import { createSession } from '../client/create-session.ts'
import { Loss } from './loss.ts'

const BEGIN_TIMEOUT_MS = 10_000
const END_TIMEOUT_MS = 1_000

export interface PeerSessionOptions {
  readonly clock: Clock
  /** The end of the connection. */
  readonly connectionLoss: Loss
  readonly map: (error: unknown, doing: string) => MessagingError
}

/** A session and the word of its end. */
export class PeerSession {
  readonly session: Session
  /** It, or its connection, is gone; closing it from here counts as well. */
  readonly loss: Loss = new Loss()
  readonly #options: PeerSessionOptions
  #isEnding = false

  private constructor(connection: Connection, options: PeerSessionOptions) {
    this.#options = options
    this.session = createSession(connection)
    const callOff = options.connectionLoss.on((error) => this.loss.signal(error))
    this.loss.on(callOff)
    // rhea reports an ended session to whoever listens; without a listener it would raise an error for the process.
    const onEnd = (): void => {
      const error = this.#isEnding ? new ClosedError('The session was closed') : this.session.error
      this.loss.signal(options.map(error ?? new Error('without a reason'), 'The session was ended'))
    }
    this.session.on('session_error', onEnd)
    this.session.on('session_close', onEnd)
  }

  /** Begins one. Rejects when the peer does not answer in ten seconds, ends it, or is lost. */
  static async begin(connection: Connection, options: PeerSessionOptions): Promise<PeerSession> {
    const { clock, map } = options
    const begun = new PeerSession(connection, options)
    await new Promise<void>((resolve, reject) => {
      const timer = clock.setTimeout(
        () => begun.loss.signal(map(new Error(`no answer within ${BEGIN_TIMEOUT_MS} ms`), 'No session')),
        BEGIN_TIMEOUT_MS,
      )
      begun.loss.on((error) => {
        clock.clearTimeout(timer)
        reject(error)
      })
      begun.session.once('session_open', () => {
        clock.clearTimeout(timer)
        resolve()
      })
      begun.session.begin()
    })
    return begun
  }

  /** Ends it with everything in it. Resolves when the peer has ended it as well, or after a second. Idempotent. */
  async close(): Promise<void> {
    if (this.loss.error !== undefined) return
    const { clock } = this.#options
    await new Promise<void>((resolve) => {
      const timer = clock.setTimeout(() => this.loss.signal(new ClosedError('The session was closed')), END_TIMEOUT_MS)
      this.loss.on(() => {
        clock.clearTimeout(timer)
        resolve()
      })
      if (this.#isEnding) return
      this.#isEnding = true
      this.session.close()
    })
  }
}
