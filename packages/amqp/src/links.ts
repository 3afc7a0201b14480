import { randomUUID } from 'node:crypto'
import { type Deadline, type MessagingError, TransportDriverError } from '@oslo-messaging/core/driver'
import { adoptDeliveryCount, type EventContext, type Receiver, type Sender, type Session } from './client.ts'
import { mapError } from './map-error.ts'

/** Settle modes on the wire (WIRE 7.3): sender mixed, receiver first. */
const SND_SETTLE_MIXED = 2
const SND_SETTLE_SETTLED = 1
const RCV_SETTLE_FIRST = 0

const nameOf = (role: 'receiver' | 'sender', address: string): string =>
  `openstack.org/om/${role}/[${address}]/${randomUUID().replaceAll('-', '')}`

export interface LinkEvents {
  /** The peer has closed the link after it was open. Called once. */
  readonly onClosed: (error: MessagingError) => void
}

/** Attaches a sender to an address. Resolves when the peer has attached its side with a target; rejects when it refuses, or at the deadline, and then the link is closed. */
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
  await opened(sender, { role: 'sender', address, deadline, events, terminus: () => sender.target })
  return sender
}

/** A source whose address the peer makes up. */
export interface DynamicSource {
  /** Capabilities of the source without which the peer makes none. */
  readonly capabilities: readonly string[]
}

export interface ReceiverOptions extends LinkEvents {
  /** Where from: an address, or one the peer makes up. */
  readonly source: string | DynamicSource
  /** Our end: what the peer shows as the target. */
  readonly target: string
  readonly onMessage: (context: EventContext) => void
}

const isDynamic = (source: string | DynamicSource): source is DynamicSource => typeof source !== 'string'

/** Attaches a receiver without credit: its owner gives it. Resolves and rejects like `openSender`. */
export async function openReceiver(session: Session, options: ReceiverOptions, deadline: Deadline): Promise<Receiver> {
  const { source, target } = options
  const needs = isDynamic(source) ? source.capabilities : []
  const receiver = session.attach_receiver({
    name: nameOf('receiver', target),
    // A queue that lives as long as its link is only had with messages sent settled.
    snd_settle_mode: needs.length > 0 ? SND_SETTLE_SETTLED : SND_SETTLE_MIXED,
    rcv_settle_mode: RCV_SETTLE_FIRST,
    source: isDynamic(source)
      ? { dynamic: true, ...(needs.length > 0 ? { capabilities: needs, expiry_policy: 'link-detach' } : {}) }
      : { address: source },
    target: { address: target },
    credit_window: 0,
    autoaccept: false,
  })
  receiver.on('message', options.onMessage)
  receiver.on('receiver_open', () => adoptDeliveryCount(receiver))
  const address = isDynamic(source) ? target : source
  await opened(receiver, { role: 'receiver', address, deadline, events: options, terminus: () => receiver.source })
  return receiver
}

interface Opening {
  readonly role: 'sender' | 'receiver'
  readonly address: string
  readonly deadline: Deadline
  readonly events: LinkEvents
  /** What the peer has attached for the address. */
  readonly terminus: () => unknown
}

/** Waits until the link is open. A peer that refuses attaches with a null terminus first and detaches with the reason next. */
async function opened(link: Sender | Receiver, opening: Opening): Promise<void> {
  const { role, address, deadline, events, terminus } = opening
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
      if (terminus() === null || terminus() === undefined) return
      isOpen = true
      resolve()
    })
    link.on(`${role}_error`, closed)
    link.on(`${role}_close`, closed)
  })
  try {
    await deadline.race(open, {
      phase: 'declare',
      delivery: 'not-sent',
      waitingFor: `answer to the attach of ${address}`,
    })
  } catch (error) {
    if (!isClosed) {
      // Nobody is told of the end of a link that was given up.
      isClosed = true
      if (link.is_open()) link.close()
      else link.once(`${role}_open`, () => link.close())
    }
    throw error
  }
}
