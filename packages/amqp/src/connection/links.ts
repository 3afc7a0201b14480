import { randomUUID } from 'node:crypto'
import {
  createDeferred,
  type Deadline,
  emitDiagnostic,
  type MessagingError,
  TransportDriverError,
} from '@oslo-messaging/core/driver'
import type { Link } from '../session/link.ts'
import type { Condition } from '../session/performatives.ts'
import type { Delivery, ReceiverLink } from '../session/receiver-link.ts'
import type { SenderLink } from '../session/sender-link.ts'
import type { LinkOptions } from '../session/session.ts'
import { mapError } from './map-error.ts'
import type { LinkHost } from './peer-session.ts'

/** Settle modes on the wire (WIRE 7.3): sender mixed. The receiver always settles first. */
const SND_SETTLE_MIXED = 2
/** Durability of a source: it and what is unsettled outlive the peer's restart. */
const DURABLE_UNSETTLED = 2

const nameOf = (role: 'receiver' | 'sender', address: string): string =>
  `openstack.org/om/${role}/[${address}]/${randomUUID().replaceAll('-', '')}`

export interface LinkEvents {
  /** The peer has closed the link after it was open. Called once. */
  readonly onClosed: (error: MessagingError) => void
}

export interface SenderEvents extends LinkEvents {
  /** A message may be handed over that could not a moment ago. */
  readonly onRoom?: () => void
}

/** Attaches a sender to an address; `capabilities` are those its target shall have. Resolves when the peer has attached
 *  its side with a target; rejects when it refuses, or at the deadline, and then the link is closed. */
export async function openSender(
  host: LinkHost,
  address: string,
  deadline: Deadline,
  events: SenderEvents,
  capabilities: readonly string[] = [],
): Promise<SenderLink> {
  const options: LinkOptions = {
    name: nameOf('sender', address),
    sndSettleMode: SND_SETTLE_MIXED,
    source: { address },
    target: { address, capabilities },
  }
  const opening: Opening<SenderLink> = {
    role: 'sender',
    address,
    events,
    isTaken: (link) => link.target !== null,
    attach: (handlers) => host.attachSender(options, { ...handlers, onRoom: () => events.onRoom?.() }),
  }
  return await opened(opening, deadline)
}

/** A source whose address the peer makes up. */
export const DYNAMIC: DynamicSource = { dynamic: true }
interface DynamicSource {
  readonly dynamic: true
}

/** A subscription that several links share, also those of other clients, and that stays when the last of them has
 *  gone. */
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
  /** Bytes of a message; larger ones are refused. */
  readonly maxMessageSize: number
  readonly onMessage: (delivery: Delivery) => void
  readonly onDrained?: () => void
}

/** Attaches a receiver without credit: its owner gives it. Resolves and rejects like `openSender`. */
export async function openReceiver(
  host: LinkHost,
  options: ReceiverOptions,
  deadline: Deadline,
): Promise<ReceiverLink> {
  const { source, target, maxMessageSize, onMessage, onDrained } = options
  const address = typeof source === 'string' ? source : target
  const onTooLarge = (bytes: number): void =>
    emitDiagnostic('oslo-messaging:message-dropped', () => ({
      driver: 'amqp',
      source: address,
      reason: 'unreadable',
      error: new TransportDriverError(`A message of ${bytes} bytes is larger than ${maxMessageSize}`, {
        retryable: false,
      }),
    }))
  const opening: Opening<ReceiverLink> = {
    role: 'receiver',
    address,
    events: options,
    isTaken: (link) => link.source !== null,
    attach: (handlers) =>
      host.attachReceiver({ ...linkOptions(source, target) }, maxMessageSize, {
        ...handlers,
        onMessage,
        onTooLarge,
        ...(onDrained === undefined ? {} : { onDrained }),
      }),
  }
  return await opened(opening, deadline)
}

function linkOptions(source: ReceiverOptions['source'], address: string): LinkOptions {
  const target = { address }
  const name = nameOf('receiver', address)
  if (typeof source === 'string') return { name, sndSettleMode: SND_SETTLE_MIXED, source: { address: source }, target }
  if ('subscription' in source)
    return {
      // What follows the bar tells the links of one subscription apart.
      name: `${source.subscription}|${randomUUID().replaceAll('-', '')}`,
      sndSettleMode: SND_SETTLE_MIXED,
      source: {
        address: source.address,
        capabilities: ['topic', 'shared', 'global'],
        durable: DURABLE_UNSETTLED,
        expiryPolicy: 'never',
      },
      target,
      // A subscription ends with the link that is closed, so a shared one is only detached from.
      isShared: true,
    }
  return { name, sndSettleMode: SND_SETTLE_MIXED, source, target }
}

interface Opening<T extends Link> {
  readonly role: 'sender' | 'receiver'
  readonly address: string
  readonly events: LinkEvents
  /** The peer has attached something for the address. One that refuses attaches with a null terminus first and detaches
   *  with the reason next. */
  readonly isTaken: (link: T) => boolean
  readonly attach: (handlers: { onOpen: () => void; onClosed: (error: Condition | undefined) => void }) => T
}

/** Waits until the link is open. */
async function opened<T extends Link>(opening: Opening<T>, deadline: Deadline): Promise<T> {
  const { role, address, events, isTaken, attach } = opening
  let isOpen = false
  const answer = createDeferred<void>()
  const link: T = attach({
    onOpen: (): void => {
      // Without a terminus the detach with the reason follows at once.
      if (!isTaken(link)) return
      isOpen = true
      answer.resolve()
    },
    onClosed: (reason: Condition | undefined): void => {
      const error = mapError(reason ?? new TransportDriverError('without a reason', { retryable: true }), {
        phase: 'declare',
        delivery: 'not-sent',
        doing: `The peer ${isOpen ? 'closed' : 'refused'} the ${role} for ${address}`,
      })
      if (isOpen) events.onClosed(error)
      else answer.reject(error)
    },
  })
  try {
    await deadline.race(answer.promise, {
      phase: 'declare',
      delivery: 'not-sent',
      waitingFor: `answer to the attach of ${address}`,
    })
  } catch (error) {
    // Nobody waits for it any more.
    link.leave()
    throw error
  }
  return link
}
