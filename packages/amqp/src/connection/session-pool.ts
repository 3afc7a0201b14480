import { TransportDriverError } from '@oslo-messaging/core/driver'
import type { Channels } from '../session/channels.ts'
import type { PeerSession } from './peer-session.ts'
import { SharedSession, type SharedSessionOptions } from './shared-session.ts'

/** Part of the channels, and the most of them, that is kept for senders and declarations when listeners have a session
 *  each. */
const KEPT_PART = 4
const KEPT_MOST = 8

/** The peer's limits leave no room for another link: nothing changes that but links that end. */
export class NoRoom extends TransportDriverError {}

/** `own`: nobody else's transfers shall wait for these, while there are sessions enough. `senders`: beside the other
 *  senders. */
export type SessionUse = 'own' | 'senders'

/** The sessions of a connection, within what the peer allows: how many there may be, and how many links each. */
export class SessionPool {
  readonly #channels: Channels
  readonly #options: SharedSessionOptions
  readonly #sessions: Record<SessionUse, Set<SharedSession>> = { own: new Set(), senders: new Set() }
  readonly #kept: number
  /** The peer answers when it is asked to say something of a session; it need not, and one that does not is not
   *  asked. */
  #answersEcho = false

  constructor(channels: Channels, options: SharedSessionOptions) {
    this.#channels = channels
    this.#options = options
    this.#kept = Math.min(KEPT_MOST, Math.ceil(channels.room / KEPT_PART))
  }

  /** Room for so many links in one session. Rejects with a TransportDriverError when the peer leaves none, does not
   *  answer, or is lost. */
  async claim(use: SessionUse, links: number): Promise<PeerSession> {
    for (;;) {
      const session = this.#choose(use, links)
      await session.opened
      // Others may have been faster.
      if (session.canTake(links)) return session.claim(links)
      if (session.session.capacity < links) throw this.#refusal(links)
    }
  }

  /** Called at long intervals: see `SharedSession.watch`. */
  watch(): void {
    const sessions = [...this.#all()]
    this.#answersEcho ||= sessions.some(({ session }) => session.answersEcho)
    for (const session of sessions) session.watch(this.#answersEcho)
  }

  *#all(): Generator<SharedSession> {
    yield* this.#sessions.senders
    yield* this.#sessions.own
  }

  #choose(use: SessionUse, links: number): SharedSession {
    const spare = this.#channels.room
    const fits = (session: SharedSession): boolean => session.canTake(links)
    if (use === 'own' && spare > this.#kept) return this.#begin(use)
    const shared = [...this.#sessions[use]].filter(fits).toSorted((one, other) => one.claims - other.claims)
    // Senders fill a session before they begin another, listeners are spread over those there are.
    const known = use === 'senders' ? shared.at(-1) : shared[0]
    if (known !== undefined) return known
    if (spare > 0) return this.#begin(use)
    const any = [...this.#all()].find(fits)
    if (any === undefined) throw this.#refusal(links)
    return any
  }

  #begin(use: SessionUse): SharedSession {
    const session = new SharedSession(this.#channels, this.#options)
    this.#sessions[use].add(session)
    session.loss.on(() => this.#sessions[use].delete(session))
    return session
  }

  #refusal(links: number): NoRoom {
    const count = [...this.#all()].length
    return new NoRoom(
      `The peer allows no more links on this connection: ${count} sessions are full, and ${links} more ${links === 1 ? 'is' : 'are'} asked for; use fewer topics and listeners in one transport, or raise its limits of channels and handles`,
      { retryable: true, phase: 'declare', delivery: 'not-sent' },
    )
  }
}
