import { emitDiagnostic } from '../diagnostics/channels.ts'
import type { IncomingNotification, IncomingRequest } from '../driver/messages.ts'
import { intercept, type Interception, type SettleAction, type SettleOperation } from './interceptor.ts'

/** What each method of a delivery does to it. */
type Actions<Incoming> = Partial<Record<keyof Incoming & string, SettleAction>>

const OF_NOTIFICATIONS: Actions<IncomingNotification> = {
  acknowledge: 'acknowledge',
  requeue: 'requeue',
  discard: 'discard',
  retryLater: 'retry-later',
  bury: 'dead-letter',
}
/** Of requests that are settled when their method is over; others are as they are taken. */
const OF_REQUESTS: Actions<IncomingRequest> = { finished: 'acknowledge', requeue: 'requeue' }

interface Settling {
  readonly driver: string
  /** Names the server or listener. */
  readonly receiver: string
}

/** The same notification, whose settling runs inside the interceptors. */
export function interceptNotification(
  incoming: IncomingNotification,
  interceptions: readonly Interception<SettleOperation, void>[],
  settling: Settling,
): IncomingNotification {
  return around(incoming, OF_NOTIFICATIONS, interceptions, settling)
}

/** The same request, whose late settling runs inside the interceptors. */
export function interceptRequest(
  request: IncomingRequest,
  interceptions: readonly Interception<SettleOperation, void>[],
  settling: Settling,
): IncomingRequest {
  return around(request, OF_REQUESTS, interceptions, settling)
}

function around<Incoming extends IncomingNotification | IncomingRequest>(
  incoming: Incoming,
  actions: Actions<Incoming>,
  interceptions: readonly Interception<SettleOperation, void>[],
  { driver, receiver }: Settling,
): Incoming {
  // Drivers keep what they know in private fields, so members are read from the delivery itself.
  return new Proxy(incoming, {
    get: (delivery, name) => {
      const member: unknown = Reflect.get(delivery, name, delivery)
      if (typeof member !== 'function') return member
      const action = (actions as Readonly<Record<string | symbol, SettleAction | undefined>>)[name]
      if (action === undefined || delivery.isSettled === true) return member.bind(delivery) as unknown
      return (...args: unknown[]): unknown => {
        const { context, headers = {}, uniqueId } = delivery
        const operation: SettleOperation = { kind: 'settle', driver, receiver, action, context, headers, uniqueId }
        const report = (error: unknown): void =>
          emitDiagnostic('oslo-messaging:background-error', () => ({ source: receiver, error }))
        let settling: Promise<void> | undefined
        const start = async (): Promise<void> => {
          const answer: unknown = member.apply(delivery, args)
          if (answer instanceof Promise) await answer
        }
        // Once, however often an interceptor goes on: brokers close a connection for the second time.
        const settle = (): Promise<void> => (settling ??= start())
        const ended = intercept(interceptions, operation, settle).then(() => {
          // Whoever watches may not keep a message from being settled.
          if (settling === undefined) report(new Error(`An interceptor did not go on to ${action}`))
          return settle()
        })
        if (action === 'retry-later' || action === 'dead-letter')
          return ended.catch(async (error: unknown) => {
            if (settling === undefined) throw error
            // What the broker has must not be given to it again, whatever was thrown afterwards.
            await settling
            report(error)
          })
        void ended
          .catch(async (error: unknown) => {
            report(error)
            if (settling === undefined) await settle()
          })
          .catch(report)
        return undefined
      }
    },
  })
}
