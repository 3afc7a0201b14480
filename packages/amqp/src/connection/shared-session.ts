import { ClosedError, type Clock, type MessagingError, TransportDriverError } from '@oslo-messaging/core/driver'
import type { Channels } from '../session/channels.ts'
import type { Link } from '../session/link.ts'
import type { Session } from '../session/session.ts'
import { Loss } from './loss.ts'
import { PeerSession } from './peer-session.ts'

const BEGIN_TIMEOUT_MS = 10_000
const END_TIMEOUT_MS = 1_000

export interface SharedSessionOptions {
  readonly clock: Clock
  /** The end of the connection. */
  readonly connectionLoss: Loss
  readonly map: (error: unknown, doing: string) => MessagingError
}

/** A session, the word of its end, and who has links in it. The last one to leave ends it. */
export class SharedSession {
  /** It, or its connection, is gone; ending it from here counts as well. */
  readonly loss: Loss = new Loss()
  readonly session: Session
  readonly #options: SharedSessionOptions
  readonly #opened: Promise<void>
  #claims = 0
  /** Claims that were not given back. */
  #leases = 0
  #hasOpened = false
  #isEnding = false
  #isAsked = false
  #heard = 0

  constructor(channels: Channels, options: SharedSessionOptions) {
    this.#options = options
    const { clock, connectionLoss, map } = options
    const callOff = connectionLoss.on((error) => this.loss.signal(error))
    this.loss.on(callOff)
    let onOpen = (): void => {}
    this.#opened = this.loss.race(new Promise<void>((resolve) => (onOpen = resolve)))
    this.#opened.catch(() => undefined)
    this.session = channels.begin({
      onOpen: () => {
        this.#hasOpened = true
        onOpen()
      },
      onEnd: (error) =>
        this.loss.signal(
          this.#isEnding
            ? new ClosedError('The session was closed')
            : map(error ?? new Error('without a reason'), 'The session was ended'),
        ),
    })
    const timer = clock.setTimeout(
      () => this.lose(map(new Error(`no answer within ${BEGIN_TIMEOUT_MS} ms`), 'No session')),
      BEGIN_TIMEOUT_MS,
    )
    void this.#begun(() => clock.clearTimeout(timer))
  }

  async #begun(calm: () => void): Promise<void> {
    await this.#opened.catch(() => undefined)
    calm()
    // Whether the peer answers at all is known before anything depends on it.
    if (this.loss.error === undefined) this.session.askForFlow()
  }

  /** Rejects when the peer does not answer in ten seconds, ends it, or is lost. */
  get opened(): Promise<void> {
    return this.#opened
  }

  /** Whether so many links may be claimed, as far as is known: while it is being opened, any number may. */
  canTake(links: number): boolean {
    if (this.loss.error !== undefined || this.#isEnding) return false
    return !this.#hasOpened || this.session.capacity - this.#claims >= links
  }

  get claims(): number {
    return this.#claims
  }

  /** Takes room for so many links. */
  claim(links: number): PeerSession {
    this.#claims += links
    this.#leases += 1
    return new PeerSession(this.session, this.loss, (left) => this.#giveBack(links, left))
  }

  /** It is of no use any more, whatever the peer thinks of it. */
  lose(error: Error): void {
    if (this.loss.error !== undefined) return
    this.session.end()
    this.loss.signal(error)
  }

  /** Called at long intervals: a session that has been silent since the last one is asked to say something, one that
   *  was asked and has said nothing is lost. `answers`: the peer is known to answer. */
  watch(answers: boolean): void {
    const { heard } = this.session
    const isSilent = heard === this.#heard
    this.#heard = heard
    if (!isSilent) this.#isAsked = false
    else if (this.#isAsked)
      this.lose(
        new TransportDriverError('The peer does not answer in this session any more', {
          retryable: true,
          phase: 'connect',
          delivery: 'not-sent',
        }),
      )
    else if (answers && this.session.isOpen) {
      this.#isAsked = true
      this.session.askForFlow()
    }
  }

  /** Resolves when the peer has answered, or after a second. */
  async #giveBack(links: number, left: readonly Link[]): Promise<void> {
    this.#leases -= 1
    if (this.loss.error !== undefined) return
    // A peer that is told of the end of the session alone may keep what it had given to the links.
    for (const link of left) link.leave()
    if (this.#leases > 0) {
      // A number is free when the peer has answered, however late.
      const free = (): boolean => {
        if (!left.every((link) => link.isGone)) return false
        if (this.session.onEnds.delete(free)) this.#claims -= links
        return true
      }
      this.session.onEnds.add(free)
      return await this.#within(free)
    }
    this.#isEnding = true
    this.session.end()
    await this.#within(() => this.session.isGone)
    this.loss.signal(new ClosedError('The session was closed'))
  }

  /** Until the peer has answered, which shows with the frames that come in; at most a second. */
  async #within(isDone: () => boolean): Promise<void> {
    const { clock } = this.#options
    await new Promise<void>((resolve) => {
      const finish = (): void => {
        clock.clearTimeout(timer)
        callOff()
        this.session.onEnds.delete(look)
        resolve()
      }
      const look = (): void => {
        if (isDone()) finish()
      }
      let callOff = (): void => {}
      const timer = clock.setTimeout(finish, END_TIMEOUT_MS)
      this.session.onEnds.add(look)
      callOff = this.loss.on(finish)
      look()
    })
  }
}
