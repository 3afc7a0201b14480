import { Ctx, Payload } from '@nestjs/microservices'
import { NotificationResult, ValueError } from '@oslo-messaging/core'
import {
  OnNotification,
  type OsloNotificationContext,
  type OsloRpcContext,
  RpcEndpoint,
  RpcMethod,
} from '../../src/index.ts'

/** What the controllers below offer. */
export interface Stock {
  reserve(args: { item: string; count: number }): { left: number; who: unknown }
  fail(args: { as: string }): null
  slow(args: { ms: number }): string
  remaining(): number | null
}

type Method = Readonly<Record<string, readonly MethodDecorator[]>>

/** Decorates as the compiler would: these tests are compiled without decorators. */
export function decorate(prototype: object, methods: Method): void {
  for (const [name, decorators] of Object.entries(methods)) {
    const descriptor = Object.getOwnPropertyDescriptor(prototype, name) ?? {}
    for (const decorator of decorators.toReversed()) decorator(prototype, name, descriptor)
  }
}

/** Waits, for handlers that take their time. */
const after = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

export class StockController {
  static begun: (() => void) | undefined
  static readonly ended: string[] = []

  reserve({ count }: { item: string; count: number }, context: OsloRpcContext<{ user?: string }>) {
    return { left: 10 - count, who: context.getContext().user ?? null }
  }

  fail({ as }: { as: string }): never {
    throw as === 'value' ? new ValueError('count is wrong') : Object.assign(new Error('disk full'), { code: 'ENOSPC' })
  }

  async slow({ ms }: { ms: number }): Promise<string> {
    StockController.begun?.()
    await after(ms)
    StockController.ended.push('call')
    return 'done'
  }

  remaining(context: OsloRpcContext): number | null {
    return context.getCall().remainingMs
  }

  onModuleDestroy(): void {
    StockController.ended.push('onModuleDestroy')
  }
}
decorate(StockController.prototype, {
  reserve: [RpcMethod()],
  fail: [RpcMethod()],
  slow: [RpcMethod()],
  remaining: [RpcMethod()],
})
Ctx()(StockController.prototype, 'remaining', 0)
Payload()(StockController.prototype, 'reserve', 0)
Ctx()(StockController.prototype, 'reserve', 1)

/** The same topic under a namespace and another version, one method under a name of its own. */
export class AdminController {
  clear(args: unknown): unknown {
    return args
  }
  legacy(): string {
    return 'no namespace'
  }
}
decorate(AdminController.prototype, {
  clear: [RpcMethod({ name: 'wipe' })],
  legacy: [RpcMethod({ namespace: null, version: '2.1' })],
})
Payload()(AdminController.prototype, 'clear', 0)
RpcEndpoint({ namespace: 'admin', version: '1.3' })(AdminController)

export interface Heard {
  readonly event: string | null
  readonly payload: unknown
  readonly user: unknown
  readonly priority: string
}

export class Events {
  static heard: Heard[] = []
  static failures = 0
  static onHeard: (() => void) | undefined

  created(payload: unknown, context: OsloNotificationContext<{ user_id?: string }>): void {
    const { eventType: event, priority } = context.getNotification()
    Events.heard.push({ event, payload, user: context.getContext().user_id ?? null, priority })
    Events.onHeard?.()
  }

  flaky(payload: unknown): string {
    if (Events.failures > 0) {
      Events.failures -= 1
      throw new Error('not yet')
    }
    Events.heard.push({ event: 'flaky', payload, user: null, priority: 'info' })
    Events.onHeard?.()
    return NotificationResult.HANDLED
  }
}
Payload()(Events.prototype, 'created', 0)
Ctx()(Events.prototype, 'created', 1)
decorate(Events.prototype, {
  created: [OnNotification('order.created', { priorities: ['info', 'error'] })],
  flaky: [OnNotification({ eventType: /flaky\./ })],
})
