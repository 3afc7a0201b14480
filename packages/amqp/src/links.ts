import { randomUUID } from 'node:crypto'
import { type Deadline, TransportDriverError } from '@oslo-messaging/core/driver'
import { adoptDeliveryCount, type EventContext, type Receiver, type Sender, type Session } from './client.ts'
import { mapError } from './map-error.ts'

/** Settle modes on the wire (WIRE 7.3): sender mixed, receiver first. */
const SND_SETTLE_MIXED = 2
const RCV_SETTLE_FIRST = 0

const nameOf = (role: 'receiver' | 'sender', address: string): string =>
  `openstack.org/om/${role}/[${address}]/${randomUUID().replaceAll('-', '')}`

export interface LinkEvents {
  /** The peer has closed the link, or refused it after it opened. Called once. */
  readonly onClosed: (error: Error) => void
}

/** Attaches a sender to an address. Resolves when the peer has attached its side with a target; rejects when it refuses. */
export async function openSender(
  session: Session,
  address: string,
  deadline: Deadline,
  events: LinkEvents,
): Promise<Sender> {
  const sender = session.attach_sender({
    name: nameOf('sender', address),
    snd_settle_mode: SND_SETTLE_MIXED,
    rcv_settle_mode: RCV_SETTLE_FIRST,
    source: { address },
    target: { address },
    // A modified outcome is looked at as what it is, not as a release first.
    treat_modified_as_released: false,
  })
  await opened(sender, 'sender', address, deadline, events, () => sender.target !== null && sender.target !== undefined)
  return sender
}

export interface ReceiverOptions extends LinkEvents {
  /** Where from; null asks the peer for an address of its own (dynamic source). */
  readonly address: string | null
  /** Our end: what the peer shows as the target. */
  readonly target: string
  readonly onMessage: (context: EventContext) => void
}

/** Attaches a receiver without credit: its owner gives it. Resolves when the peer has attached its side with a source. */
export async function openReceiver(session: Session, options: ReceiverOptions, deadline: Deadline): Promise<Receiver> {
  const { address, target } = options
  const receiver = session.attach_receiver({
    name: nameOf('receiver', target),
    snd_settle_mode: SND_SETTLE_MIXED,
    rcv_settle_mode: RCV_SETTLE_FIRST,
    source: address === null ? { dynamic: true } : { address },
    target: { address: target },
    credit_window: 0,
    autoaccept: false,
  })
  receiver.on('message', options.onMessage)
  receiver.on('receiver_open', () => adoptDeliveryCount(receiver))
  await opened(
    receiver,
    'receiver',
    address ?? target,
    deadline,
    options,
    () => receiver.source !== null && receiver.source !== undefined,
  )
  return receiver
}

/** Waits until the link is open. A peer that refuses attaches with a null terminus first and detaches with the reason next. */
async function opened(
  link: Sender | Receiver,
  role: 'sender' | 'receiver',
  address: string,
  deadline: Deadline,
  events: LinkEvents,
  hasTerminus: () => boolean,
): Promise<void> {
  let isOpen = false
  let isClosed = false
  const open = new Promise<void>((resolve, reject) => {
    const closed = (): void => {
      if (isClosed) return
      isClosed = true
      const error = mapError(link.error ?? new TransportDriverError('without a reason', { retryable: true }), {
        phase: 'declare',
        delivery: 'not-sent',
        doing: `The peer ${isOpen ? 'closed' : 'refused'} the ${role} for ${address}`,
      })
      if (isOpen) events.onClosed(error)
      else reject(error)
    }
    link.on(`${role}_open`, () => {
      // Without a terminus the detach with the reason follows at once.
      if (!hasTerminus()) return
      isOpen = true
      resolve()
    })
    link.on(`${role}_error`, closed)
    link.on(`${role}_close`, closed)
  })
  open.catch(() => {})
  await deadline.race(open, {
    phase: 'declare',
    delivery: 'not-sent',
    waitingFor: `answer to the attach of ${address}`,
  })
}
