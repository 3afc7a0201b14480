import { type Connection, type Receiver, type Sender, type Session, writeNow } from './client.ts'

/** Deliveries a session may hold. Both numbers count from the oldest delivery that is not settled, so that one stuck handler among many quick ones would fill
 *  rhea's 2048; what is sent is bounded by the publisher as well. */
const SESSION_BUFFER = { incoming: 65_536, outgoing: 65_536 } as const

interface TransferFrame {
  readonly performative: { readonly handle: number }
}
interface SessionInternals {
  remove_link(link: Receiver | Sender): void
  readonly remote: { readonly handles: Readonly<Record<number, { credit: number } | undefined>> }
  on_transfer(frame: TransferFrame): void
  readonly local: { readonly end: object }
  output(frame: object, payload?: Buffer): void
}

/** A session whose transfers do not wait for those of any other, with what rhea's own does wrong put right. It is not begun. */
export function createSession(connection: Connection): Session {
  const session = connection.create_session(SESSION_BUFFER)
  const internals = session as Session & SessionInternals
  takeWhatComes(internals)
  endWithTheLast(internals)
  answerBeforeForgetting(internals, connection)
  return session
}

/** rhea writes to the console when a peer sends more than it has credit for: whoever owns the receiver bounds that. */
function takeWhatComes(session: SessionInternals): void {
  const take = session.on_transfer.bind(session)
  session.on_transfer = (frame) => {
    const receiver = session.remote.handles[frame.performative.handle]
    if (receiver !== undefined && receiver.credit <= 0) receiver.credit = 1
    take(frame)
  }
}

/** The end of a session ends its links. rhea answers the detach of a link after that as well, on a channel the peer does not know any more, which ends the whole connection. */
function endWithTheLast(session: SessionInternals): void {
  const write = session.output.bind(session)
  let hasEnded = false
  session.output = (frame, payload) => {
    if (hasEnded) return
    hasEnded = frame === session.local.end
    write(frame, payload)
  }
}

/** A peer's detach is answered and its link forgotten in the ticks that follow it: the answer has to be written before. */
function answerBeforeForgetting(session: SessionInternals, connection: Connection): void {
  const forget = session.remove_link.bind(session)
  session.remove_link = (link) => {
    writeNow(connection)
    forget(link)
  }
}
