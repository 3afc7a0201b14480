import { ClosedError } from '@oslo-messaging/core/driver'
import type { Link } from '../session/link.ts'
import type { ReceiverHandlers, ReceiverLink } from '../session/receiver-link.ts'
import type { SenderHandlers, SenderLink } from '../session/sender-link.ts'
import type { LinkOptions, Session } from '../session/session.ts'
import { Loss } from './loss.ts'

/** Where links are attached. */
export interface LinkHost {
  attachSender(options: LinkOptions, handlers: SenderHandlers): SenderLink
  attachReceiver(options: LinkOptions, maxMessageSize: number, handlers: ReceiverHandlers): ReceiverLink
}

/** Room for links in a session, which may be the whole of it or a part that was left for us. */
export class PeerSession {
  readonly session: LinkHost
  /** The session, or its connection, is gone; closing it from here counts as well. */
  readonly loss: Loss = new Loss()
  readonly #links = new Set<Link>()
  readonly #giveBack: (links: readonly Link[]) => Promise<void>
  #closing: Promise<void> | undefined

  /** `giveBack` ends the links and resolves when the peer has answered, or after a second. */
  constructor(session: Session, loss: Loss, giveBack: (links: readonly Link[]) => Promise<void>) {
    const keep = <T extends Link>(link: T): T => {
      for (const each of this.#links) if (each.isGone) this.#links.delete(each)
      this.#links.add(link)
      return link
    }
    this.session = {
      attachSender: (options, handlers) => keep(session.attachSender(options, handlers)),
      attachReceiver: (options, maxMessageSize, handlers) =>
        keep(session.attachReceiver(options, maxMessageSize, handlers)),
    }
    this.#giveBack = giveBack
    const callOff = loss.on((error) => this.loss.signal(error))
    this.loss.on(callOff)
  }

  /** Ends it with everything in it. Resolves when the peer has answered, or after a second. Idempotent. */
  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close(): Promise<void> {
    await this.#giveBack([...this.#links])
    this.loss.signal(new ClosedError('The session was closed'))
  }
}
