import { BaseRpcContext } from '@nestjs/microservices'
import type { NotificationDelivery, NotificationMetadata, RPCCall } from '@oslo-messaging/core'

/** What `@Ctx()` gives a method that clients call. */
export class OsloRpcContext<Ctx extends object = object> extends BaseRpcContext<[Ctx, RPCCall]> {
  /** The request context: who asks. Hand it on to further calls, and they share what is left of the caller's time. */
  getContext(): Ctx {
    return this.args[0]
  }

  /** The call: signal, remaining time, headers. */
  getCall(): RPCCall {
    return this.args[1]
  }
}

/** What a notification says beside its payload. */
export interface NotificationFacts<Ctx extends object = object> {
  readonly context: Ctx
  readonly publisherId: string | null
  readonly eventType: string | null
  /** Lower case. */
  readonly priority: string
  readonly metadata: NotificationMetadata
  readonly delivery: NotificationDelivery
}

/** What `@Ctx()` gives a method that gets notifications. */
export class OsloNotificationContext<Ctx extends object = object> extends BaseRpcContext<[NotificationFacts<Ctx>]> {
  getContext(): Ctx {
    return this.args[0].context
  }

  /** Event type, publisher, priority, metadata, delivery. */
  getNotification(): NotificationFacts<Ctx> {
    return this.args[0]
  }
}
