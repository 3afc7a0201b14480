import type { NotificationFilterRules, Priority, TargetFields } from '@oslo-messaging/core'

/** Marks handlers of this transport, so that other transports of a hybrid application leave them alone, and it leaves
 *  theirs. */
export const OSLO_TRANSPORT: unique symbol = Symbol('oslo.messaging')

/** Name of the extras in which Nest hands a handler's facts to the server. */
export const EXTRAS = 'osloMessaging'

/** A method that clients call. What is undefined is decided by the class, then by the server. */
export interface RpcHandler {
  readonly kind: 'rpc'
  readonly method: string
  topic: string | undefined
  namespace: string | null | undefined
  version: string | undefined
}

/** A method that gets notifications. */
export interface NotificationHandler {
  readonly kind: 'notification'
  readonly rules: NotificationFilterRules
  readonly priorities: readonly Priority[]
  readonly target: TargetFields | undefined
  readonly pool: string | null | undefined
}

export type Handler = RpcHandler | NotificationHandler
