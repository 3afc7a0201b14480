/** The only import of rhea: its quirks stay here. rhea is CommonJS; a named import type-checks and fails at run time. */
import type { Socket } from 'node:net'
import { emitDiagnostic } from '@oslo-messaging/core/driver'
import rhea from 'rhea'
import type {
  Connection,
  ConnectionOptions,
  Container,
  Delivery,
  EventContext,
  Message,
  Receiver,
  Sender,
  Session,
} from 'rhea'

export type { Connection, Container, Delivery, EventContext, Message, Receiver, Sender, Session }

/** What `connect` of rhea takes and its types do not know. */
export type ConnectOptions = ConnectionOptions & { readonly tcp_no_delay?: boolean }

/** A container of our own: its default one is shared by everything in the process that uses rhea. */
export function createContainer(id: string): Container {
  const container = rhea.create_container({ id })
  // Events nobody handled bubble up to here. An unhandled 'error' would end the process, and an unhandled 'disconnected' be written to its console.
  // Owners of connections, sessions and links have acted on them first.
  for (const event of ['error', 'protocol_error', 'disconnected'])
    container.on(event, (error: unknown) =>
      emitDiagnostic('oslo-messaging:background-error', () => ({ source: `amqp ${event}`, error })),
    )
  return container
}

/** A message in the encoding of the specification, whatever its ids are made of. */
export const encodeAny = (message: object): Buffer => rhea.message.encode(message)

/** A message, or some of its sections, out of its encoding. */
export const decodeAny = (bytes: Buffer): object => rhea.message.decode(bytes)

const TWO_TO_32 = 2 ** 32

// --- connections ---------------------------------------------------------------------------------------------------

interface ConnectionInternals {
  readonly socket?: Socket
  socket_ready: boolean
  heartbeat_in: NodeJS.Timeout | undefined
  heartbeat_out: NodeJS.Timeout | undefined
  readonly remote: { readonly open?: { readonly properties?: Readonly<Record<string, unknown>> } }
  registered: boolean
  _register(): void
  _process(): void
  output(): void
  remove_session(session: Session): void
  readonly local_channel_map: Readonly<Record<number, SessionInternals & OutgoingInternals>>
}

const internalsOf = (connection: Connection): Connection & ConnectionInternals =>
  connection as Connection & ConnectionInternals

/** Cuts a connection at once and for good. rhea ends a socket politely, which a frozen peer never answers, and its heartbeat would go on in a dead connection. */
export function destroyConnection(connection: Connection): void {
  const internals = internalsOf(connection)
  clearTimeout(internals.heartbeat_in)
  clearTimeout(internals.heartbeat_out)
  // Nothing is written, and so no timer is started, from here on.
  internals.socket_ready = false
  internals.socket?.removeAllListeners('data')
  internals.socket?.destroy()
}

/** What is to be written in one turn of the event loop leaves together at its end, in one write. rhea writes in the tick that follows, before the application has had its turn: the settlement of a reply
 *  and the next request would be two writes, which cost more than everything else a call does. It also writes each frame by itself, and starts the heartbeat's timer again for each. */
export function writeOnceATurn(connection: Connection): void {
  const internals = internalsOf(connection)
  const [flush, output] = [internals._process.bind(connection), internals.output.bind(connection)]
  let isGathering = false
  let hasFrames = false
  internals.output = () => {
    if (isGathering) hasFrames = true
    else output()
  }
  internals._process = () => {
    const { socket } = internals
    isGathering = true
    hasFrames = false
    try {
      // Messages first: the peer works through what it reads one after the other, and somebody waits for these.
      for (const session of Object.values(internals.local_channel_map)) {
        const { outgoing } = session
        if (outgoing.next_pending_delivery < outgoing.next_delivery_id && session.is_open()) session._process()
      }
      flush()
    } finally {
      isGathering = false
    }
    // Without frames there is nothing that could stand for a heartbeat.
    if (!hasFrames) return
    socket?.cork()
    output()
    socket?.uncork()
  }
  internals._register = () => {
    if (internals.registered) return
    internals.registered = true
    setImmediate(() => writeNow(connection))
  }
  // A peer's end is answered and forgotten in the ticks that follow it: the answer has to be written before.
  const forget = internals.remove_session.bind(connection)
  internals.remove_session = (session) => {
    writeNow(connection)
    forget(session)
  }
}

/** Writes what is waiting for the end of the turn. */
export function writeNow(connection: Connection): void {
  const internals = internalsOf(connection)
  if (internals.registered) internals._process()
}

/** What the peer says of itself in its open. */
export function propertiesOf(connection: Connection): Readonly<Record<string, unknown>> {
  return internalsOf(connection).remote.open?.properties ?? {}
}

// --- receivers -----------------------------------------------------------------------------------------------------

interface ReceiverInternals {
  delivery_count: number
  credit: number
  readonly remote: { readonly attach?: { readonly initial_delivery_count?: number } }
}
interface SessionInternals {
  is_open(): boolean
  _process(): void
  _write_flow(link: Receiver | Sender): void
}

/** rhea ignores the peer's initial-delivery-count. RabbitMQ 4.0 starts just below 2^32, and each credit given then yields five messages more.
 *  Call it when the receiver opens; `wrapDeliveryCount` before each message is used. */
export function adoptDeliveryCount(receiver: Receiver): void {
  const internals = receiver as Receiver & ReceiverInternals
  internals.delivery_count = internals.remote.attach?.initial_delivery_count ?? 0
}

/** Sequence numbers of AMQP 1.0 are 32 bit; rhea counts on. */
export function wrapDeliveryCount(receiver: Receiver): void {
  const internals = receiver as Receiver & ReceiverInternals
  if (internals.delivery_count >= TWO_TO_32) internals.delivery_count -= TWO_TO_32
}

/** Messages the peer may still send, as far as is known here. */
export function creditOf(receiver: Receiver): number {
  return (receiver as Receiver & ReceiverInternals).credit
}

/** Takes back the credit the peer has not used. Draining would make a peer send what it has, only to get it handed back. What is under way already still comes. */
export function withdrawCredit(receiver: Receiver): void {
  const internals = receiver as Receiver & ReceiverInternals
  if (!receiver.is_open()) return
  internals.credit = 0
  ;(receiver.session as Session & SessionInternals)._write_flow(receiver)
}

// --- senders -------------------------------------------------------------------------------------------------------

/** Of the specification's own messages. rhea encodes what comes without a format. */
const MESSAGE_FORMAT = 0

interface OutgoingDelivery {
  data: readonly Buffer[]
}
interface SenderInternals {
  readonly credit: number
}
interface OutgoingInternals {
  readonly outgoing: { readonly next_pending_delivery: number; readonly next_delivery_id: number; available(): number }
}

/** Messages the sender may still be given now. rhea takes credit off only when it writes, at the end of the turn: those handed over in this one are still unwritten. */
export function roomOf(sender: Sender, unwritten: number): number {
  const { credit } = sender as Sender & SenderInternals
  return Math.min(credit - unwritten, (sender.session as Session & OutgoingInternals).outgoing.available())
}

/** Hands over a message that is encoded already; rhea writes it in this turn of the event loop. */
export const sendEncoded = (sender: Sender, message: Buffer): Delivery =>
  sender.send(message, undefined, MESSAGE_FORMAT)

/** Whether everything handed over in the sender's session has left for the socket. */
export function isAllWritten(sender: Sender): boolean {
  const { outgoing } = sender.session as Session & OutgoingInternals
  return outgoing.next_pending_delivery === outgoing.next_delivery_id
}

/** Whether a delivery has left for the socket. */
export function isWritten(delivery: Delivery): boolean {
  const { outgoing } = delivery.link.session as Session & OutgoingInternals
  return delivery.id < outgoing.next_pending_delivery
}

/** Lets the bytes of a settled delivery go: rhea keeps the delivery until every older one of the session is settled as well. */
export function forgetBytes(delivery: Delivery): void {
  ;(delivery as Delivery & OutgoingDelivery).data = []
}

export type Outcome =
  | { readonly type: 'accepted' | 'released' }
  | { readonly type: 'modified'; readonly deliveryFailed: boolean; readonly undeliverableHere: boolean }
  | { readonly type: 'rejected'; readonly condition: string | undefined; readonly description: string | undefined }

interface RemoteState {
  readonly delivery_failed?: boolean
  readonly undeliverable_here?: boolean
  readonly error?: { readonly condition?: string; readonly description?: string }
}

/** What the peer said of a delivery. The event's name is not asked: rhea raises `released` for a modified delivery as well. */
export function outcomeOf(delivery: Delivery): Outcome {
  const state = delivery.remote_state as RemoteState | undefined
  const type = (state?.constructor as { readonly composite_type?: string } | undefined)?.composite_type
  if (state === undefined || type === 'accepted') return { type: 'accepted' }
  if (type === 'modified')
    return {
      type,
      deliveryFailed: state.delivery_failed === true,
      undeliverableHere: state.undeliverable_here === true,
    }
  if (type === 'rejected') return { type, condition: state.error?.condition, description: state.error?.description }
  return { type: 'released' }
}

/** Marks a delivery as sent settled. Must be called right after the send, before rhea writes it. */
export function settleBeforeSending(delivery: Delivery): void {
  ;(delivery as { settled: boolean }).settled = true
}

type Settlement = 'accept' | 'release' | 'not-mine' | 'unreadable'

/** Descriptor codes of the outcomes on the wire. */
const OUTCOME_CODES: Readonly<Record<Settlement, number>> = {
  accept: 0x24,
  unreadable: 0x25,
  release: 0x26,
  'not-mine': 0x27,
}

interface IncomingInternals {
  readonly incoming: {
    /** Settled in this tick and not yet written. */
    readonly updated: readonly { readonly state?: { readonly descriptor?: { readonly value?: unknown } } }[]
    process(session: Session): void
  }
}

/** Settles a delivery that its sender has not settled; one that came settled needs nothing but is taken off the session's window.
 *  rhea writes the dispositions of one tick together and gives the second of a row the outcome of the first without looking: a release after an acceptance would be an
 *  acceptance, and the message lost. So no two outcomes of different kinds are ever left to be written together. */
export function settle(delivery: Delivery, how: Settlement): void {
  const session = delivery.link.session as Session & IncomingInternals
  const unwritten = session.incoming.updated.at(-1)?.state?.descriptor?.value
  if (unwritten !== undefined && Number(unwritten) !== OUTCOME_CODES[how]) session.incoming.process(session)
  if (how === 'accept') delivery.accept()
  else if (how === 'release') delivery.release()
  else if (how === 'not-mine') delivery.modified({ delivery_failed: true, undeliverable_here: true })
  else delivery.reject({ condition: 'amqp:decode-error', description: 'The message cannot be read' })
}
