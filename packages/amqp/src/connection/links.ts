import { randomUUID } from 'node:crypto'
import { type Deadline, type MessagingError, TransportDriverError } from '@oslo-messaging/core/driver'
import { adoptDeliveryCount, type EventContext, type Receiver, type Sender, type Session } from '../client/client.ts'
import { mapError } from './map-error.ts'

/** Settle modes on the wire (WIRE 7.3): sender mixed, receiver first. */
const SND_SETTLE_MIXED = 2
const RCV_SETTLE_FIRST = 0
/** Durability of a source: it and what is unsettled outlive the peer's restart. */
const DURABLE_UNSETTLED = 2

const nameOf = (role: 'receiver' | 'sender', address: string): string =>
  `openstack.org/om/${role}/[${address}]/${randomUUID().replaceAll('-', '')}`

export interface LinkEvents {
  /** The peer has closed the link after it was open. Called once. */
  readonly onClosed: (error: MessagingError) => void
}

/** Attaches a sender to an address; `capabilities` are those its target shall have. Resolves when the peer has attached its side with a target; rejects when it refuses, or at the deadline, and then the link is closed. */
export async function openSender(
  session: Session,
  address: string,
  deadline: Deadline,
  events: LinkEvents,
  capabilities: readonly string[] = [],
): Promise<Sender> {
  const sender = session.attach_sender({
    name: nameOf('sender', address),
    snd_settle_mode: SND_SETTLE_MIXED,
    rcv_settle_mode: RCV_SETTLE_FIRST,
    source: { address },
    target: { address, ...(capabilities.length === 0 ? {} : { capabilities: [...capabilities] }) },
    // A modified outcome is looked at as what it is, not as a release first.
    treat_modified_as_released: false,
  })
  await opened(sender, {
    role: 'sender',
    address,
    deadline,
    events,
    terminus: () => sender.target,
    leave: () => sender.close(),
  })
  return sender
}

/** A source whose address the peer makes up. */
export const DYNAMIC: DynamicSource = { dynamic: true }
interface DynamicSource {
  readonly dynamic: true
}

/** A subscription that several links share, also those of other clients, and that stays when the last of them has gone. */
export interface SharedSource {
  readonly address: string
  /** Names it, for everybody. */
  readonly subscription: string
}

/** What listeners attach to. */
export type ListenerSource = string | SharedSource

export interface ReceiverOptions extends LinkEvents {
  /** Where from: an address, one the peer makes up, or a share of what comes to one. */
  readonly source: string | DynamicSource | SharedSource
  /** Our end: what the peer shows as the target. */
  readonly target: string
  readonly onMessage: (context: EventContext) => void
}

/** Ends a link; a subscription ends with the link that is closed, so a shared one is only detached from. */
export function leave(link: Sender | Receiver, source: ReceiverOptions['source']): void {
  if (typeof source !== 'string' && 'subscription' in source) link.detach()
  else link.close()
}

/** Attaches a receiver without credit: its owner gives it. Resolves and rejects like `openSender`. */
export async function openReceiver(session: Session, options: ReceiverOptions, deadline: Deadline): Promise<Receiver> {
  const { source, target } = options
  const receiver = session.attach_receiver({
    name: nameOf('receiver', target),
    snd_settle_mode: SND_SETTLE_MIXED,
    rcv_settle_mode: RCV_SETTLE_FIRST,
    target: { address: target },
    credit_window: 0,
    autoaccept: false,
    ...sourceFields(source),
  })
  receiver.on('message', options.onMessage)
  receiver.on('receiver_open', () => adoptDeliveryCount(receiver))
  await opened(receiver, {
    role: 'receiver',
    address: typeof source === 'string' ? source : target,
    deadline,
    events: options,
    terminus: () => receiver.source,
    leave: () => leave(receiver, source),
  })
  return receiver
}

function sourceFields(source: ReceiverOptions['source']) {
  if (typeof source === 'string') return { source: { address: source } }
  if ('subscription' in source)
    return {
      // What follows the bar tells the links of one subscription apart.
      name: `${source.subscription}|${randomUUID().replaceAll('-', '')}`,
      source: {
        address: source.address,
        capabilities: ['topic', 'shared', 'global'],
        durable: DURABLE_UNSETTLED,
        expiry_policy: 'never',
      },
    }
  return { source }
}

interface Opening {
  readonly role: 'sender' | 'receiver'
  readonly address: string
  readonly deadline: Deadline
  readonly events: LinkEvents
  /** What the peer has attached for the address. */
  readonly terminus: () => unknown
  /** Ends the link when nobody waits for it any more. */
  readonly leave: () => void
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
      if (link.is_open()) opening.leave()
      else link.once(`${role}_open`, opening.leave)
    }
    throw error
  }
}
