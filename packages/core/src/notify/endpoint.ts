import type { DeliveryFacts } from '../driver/messages.ts'
import type { NotificationFilter } from './filter.ts'

/** What an endpoint method may answer. Anything but REQUEUE counts as HANDLED. */
export const NotificationResult: { readonly HANDLED: 'handled'; readonly REQUEUE: 'requeue' } = {
  HANDLED: 'handled',
  REQUEUE: 'requeue',
}

/** What an endpoint's method returns, or resolves to; nothing counts as HANDLED. */
export type NotificationOutcome = 'handled' | 'requeue' | null | undefined | void

/** Facts about the message itself, by their names on the wire; null where the sender left them out. */
export interface NotificationMetadata {
  /** UUID, the same for every topic and every delivery. */
  readonly message_id: string | null
  /** UTC, `YYYY-MM-DD HH:MM:SS.ffffff`. */
  readonly timestamp: string | null
}

/** Facts about this delivery. */
export interface NotificationDelivery extends DeliveryFacts {
  /** Aborts when the broker has taken the message away: finishing the work is useless then. */
  readonly signal?: AbortSignal
}

/** Gets the notifications whose priority names one of its methods; only priorities some endpoint has a method for are
 *  subscribed.
 *  Parameters may be declared more narrowly than here (`payload: InstancePayload`); nothing checks that the sender
 *  agrees.
 *  A method that throws counts as REQUEUE, which without `allowRequeue` means acknowledged and reported. */
export interface NotificationEndpoint {
  /** Which of them it wants. */
  readonly filterRule?: NotificationFilter
  audit?(...notification: NotificationArguments): NotificationOutcome | PromiseLike<NotificationOutcome>
  debug?(...notification: NotificationArguments): NotificationOutcome | PromiseLike<NotificationOutcome>
  info?(...notification: NotificationArguments): NotificationOutcome | PromiseLike<NotificationOutcome>
  warn?(...notification: NotificationArguments): NotificationOutcome | PromiseLike<NotificationOutcome>
  error?(...notification: NotificationArguments): NotificationOutcome | PromiseLike<NotificationOutcome>
  critical?(...notification: NotificationArguments): NotificationOutcome | PromiseLike<NotificationOutcome>
  sample?(...notification: NotificationArguments): NotificationOutcome | PromiseLike<NotificationOutcome>
}

/** What an endpoint's method is called with, in this order. */
export type NotificationArguments = [
  ctxt: object,
  publisherId: string | null,
  eventType: string | null,
  payload: unknown,
  metadata: NotificationMetadata,
  delivery: NotificationDelivery,
]

/** One notification as a batch endpoint gets it. */
export interface ReceivedNotification {
  readonly ctxt: object
  readonly publisherId: string | null
  readonly eventType: string | null
  readonly payload: unknown
  readonly metadata: NotificationMetadata
  readonly delivery: NotificationDelivery
}

/** Like NotificationEndpoint, but its methods get every notification of one priority in the batch that its filter lets
 *  through, in the order they came. */
export interface BatchNotificationEndpoint {
  readonly filterRule?: NotificationFilter
  audit?(batch: readonly ReceivedNotification[]): NotificationOutcome | PromiseLike<NotificationOutcome>
  debug?(batch: readonly ReceivedNotification[]): NotificationOutcome | PromiseLike<NotificationOutcome>
  info?(batch: readonly ReceivedNotification[]): NotificationOutcome | PromiseLike<NotificationOutcome>
  warn?(batch: readonly ReceivedNotification[]): NotificationOutcome | PromiseLike<NotificationOutcome>
  error?(batch: readonly ReceivedNotification[]): NotificationOutcome | PromiseLike<NotificationOutcome>
  critical?(batch: readonly ReceivedNotification[]): NotificationOutcome | PromiseLike<NotificationOutcome>
  sample?(batch: readonly ReceivedNotification[]): NotificationOutcome | PromiseLike<NotificationOutcome>
}
