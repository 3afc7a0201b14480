/** The only import of rhea: its quirks stay here. rhea is CommonJS; a named import type-checks and fails at run time. */
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

export type { Connection, ConnectionOptions, Container, Delivery, EventContext, Message, Receiver, Sender, Session }

/** A container of our own: its default one is shared by everything in the process that uses rhea. */
export function createContainer(id: string): Container {
  const container = rhea.create_container({ id })
  // Events nobody handled bubble up to here, and an unhandled 'error' would end the process. Owners of links and sessions have seen them first.
  container.on('error', () => {})
  container.on('protocol_error', () => {})
  container.on('disconnected', () => {})
  return container
}

/** SASL mechanisms rhea may use: an object whose prototype knows how to enable each. */
export interface SaslMechanisms {
  enable_anonymous(name: string): void
  enable_plain(user: string, password: string): void
  enable_external(): void
}

export function createSaslMechanisms(): SaslMechanisms {
  return (rhea.sasl as unknown as { client_mechanisms(): SaslMechanisms }).client_mechanisms()
}

/** A body that encodes to no section at all: rhea writes a null value for `undefined`, and a heartbeat must have no body. */
export const NO_BODY: object = { collect_sections: () => {} }

const TWO_TO_32 = 2 ** 32

interface ReceiverInternals {
  delivery_count: number
  readonly remote: { readonly attach?: { readonly initial_delivery_count?: number } }
}

/** rhea ignores the peer's initial-delivery-count. RabbitMQ 4.0 starts just below 2^32, and each credit given then yields five messages more.
 *  Call it when the receiver opens; `wrapDeliveryCount` before each message is used. */
export function adoptDeliveryCount(receiver: Receiver): void {
  const internals = receiver as unknown as ReceiverInternals
  internals.delivery_count = internals.remote.attach?.initial_delivery_count ?? 0
}

/** Sequence numbers of AMQP 1.0 are 32 bit; rhea counts on. */
export function wrapDeliveryCount(receiver: Receiver): void {
  const internals = receiver as unknown as ReceiverInternals
  if (internals.delivery_count >= TWO_TO_32) internals.delivery_count -= TWO_TO_32
}

/** Messages the sender may still be given now. rhea takes credit off only when it writes, in the next tick: what was handed over in this one is not counted yet. */
export function roomOf(sender: Sender, handedOver: number): number {
  const internals = sender as unknown as {
    readonly credit: number
    readonly delivery_count: number
    readonly session: { readonly outgoing: { available(): number } }
  }
  return Math.min(internals.credit - (handedOver - internals.delivery_count), internals.session.outgoing.available())
}

export type Outcome =
  | { readonly type: 'accepted' | 'released' }
  | { readonly type: 'modified'; readonly deliveryFailed: boolean; readonly undeliverableHere: boolean }
  | { readonly type: 'rejected'; readonly condition: string | undefined; readonly description: string | undefined }

interface RemoteState {
  readonly delivery_failed?: boolean
  readonly undeliverable_here?: boolean
  readonly error?: { readonly condition?: string; readonly description?: string }
  readonly constructor: { readonly composite_type?: string }
}

/** What the peer said of a delivery. The event's name is not asked: rhea raises `released` for a modified delivery as well. */
export function outcomeOf(delivery: Delivery): Outcome {
  const state = delivery.remote_state as unknown as RemoteState | undefined
  const type = state?.constructor.composite_type
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

/** Marks a delivery as sent settled. Must be called in the tick of the send, before rhea writes it. */
export function settleBeforeSending(delivery: Delivery): void {
  ;(delivery as { settled: boolean }).settled = true
}

/** Settles a delivery that its sender has not settled; one that came settled needs nothing but is taken off the session's window. */
export function settle(delivery: Delivery, how: 'accept' | 'release' | 'not-mine' | 'unreadable'): void {
  if (how === 'accept') delivery.accept()
  else if (how === 'release') delivery.release()
  else if (how === 'not-mine') delivery.modified({ delivery_failed: true, undeliverable_here: true })
  else delivery.reject({ condition: 'amqp:decode-error', description: 'The message cannot be read' })
}
