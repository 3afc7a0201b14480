import { applyDecorators, UseFilters } from '@nestjs/common'
import { EventPattern, MessagePattern } from '@nestjs/microservices'
import type { NotificationFilterRules, Priority, TargetFields } from '@oslo-messaging/core'
import { RpcErrorFilter } from './error-filter.ts'
import { EXTRAS, type NotificationHandler, OSLO_TRANSPORT, type RpcHandler } from './handlers.ts'

/** Where the methods of a class are served. */
export interface RpcEndpointOptions {
  /** Default: the server's. */
  readonly topic?: string
  /** Default none. */
  readonly namespace?: string | null
  /** Default 1.0. */
  readonly version?: string
}

/** The same for one method, and its name on the wire. */
export interface RpcMethodOptions extends RpcEndpointOptions {
  /** Default: the name of the method. */
  readonly name?: string
}

/** Which notifications a method gets, and where from. */
export interface OnNotificationOptions {
  /** Default `info`. */
  readonly priorities?: readonly Priority[]
  /** Default: the server's `notifications`. */
  readonly target?: TargetFields
  /** Default: the server's. */
  readonly pool?: string | null
}

/** Handlers by the function that has them, for the decorator of the class. */
const rpcHandlers = new WeakMap<object, RpcHandler>()

let lastPattern = 0

/** Above a controller: topic, namespace and version of the methods that say none themselves. */
export function RpcEndpoint(options: RpcEndpointOptions): ClassDecorator {
  return (Class) => {
    const prototype: unknown = Class.prototype
    if (typeof prototype !== 'object' || prototype === null) return
    for (const { value } of Object.values(Object.getOwnPropertyDescriptors(prototype))) {
      const handler = typeof value === 'function' ? rpcHandlers.get(value) : undefined
      if (handler === undefined) continue
      handler.topic ??= options.topic
      // Null is a choice: no namespace, whatever the class says.
      if (handler.namespace === undefined) handler.namespace = options.namespace
      handler.version ??= options.version
    }
  }
}

/** Above a method of a controller: clients may call it. Its parameter is the named arguments in one object; `@Ctx()
 *  context: OsloRpcContext` gives who asks, and then `@Payload()` marks the arguments. Guards, pipes and interceptors
 *  apply. What it throws reaches the client as it is; exception filters of the class and of the application do not see
 *  it, one of the method does. */
export function RpcMethod(options: RpcMethodOptions = {}): MethodDecorator {
  return (target, key, descriptor: PropertyDescriptor) => {
    const { name = String(key), topic, namespace, version } = options
    const handler: RpcHandler = { kind: 'rpc', method: name, topic, namespace, version }
    const method: unknown = descriptor.value
    if (typeof method === 'function') rpcHandlers.set(method, handler)
    // Nest keeps one handler a pattern, and the same name may be served in several namespaces and versions.
    const pattern = MessagePattern({ osloRpc: ++lastPattern, method: name }, OSLO_TRANSPORT, { [EXTRAS]: handler })
    applyDecorators(pattern, UseFilters(new RpcErrorFilter()))(target, key, descriptor)
  }
}

/** Above a method of a controller: it gets the notifications of one event type, or those that the rules let through.
 *  Its parameter is the payload; `@Ctx() context: OsloNotificationContext` gives the rest. It may return
 *  `NotificationResult.REQUEUE`; what it throws is left to the failure policy of the listener. */
export function OnNotification(
  event: string | NotificationFilterRules,
  { priorities = ['info'], target: from, pool }: OnNotificationOptions = {},
): MethodDecorator {
  const rules = typeof event === 'string' ? { eventType: new RegExp(`${escaped(event)}$`) } : event
  const handler: NotificationHandler = { kind: 'notification', rules, priorities, target: from, pool }
  return (target, key, descriptor: PropertyDescriptor) => {
    const pattern = EventPattern({ osloNotification: ++lastPattern }, OSLO_TRANSPORT, { [EXTRAS]: handler })
    applyDecorators(pattern, UseFilters(new RpcErrorFilter()))(target, key, descriptor)
  }
}

function escaped(text: string): string {
  return text.replaceAll(/[^\w]/g, String.raw`\$&`)
}
