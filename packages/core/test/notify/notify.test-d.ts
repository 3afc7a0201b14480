import { describe, expectTypeOf, it } from 'vitest'
import {
  getBatchNotificationListener,
  getNotificationListener,
  type NotificationDelivery,
  type NotificationMetadata,
  type Notifier,
  type ReceivedNotification,
  type Transport,
} from '../../src/index.ts'

declare const transport: Transport
declare const notifier: Notifier

interface InstancePayload {
  readonly state: string
}

class RequestContext {
  readonly userId = 'u'
}

describe('types of notifications', () => {
  it('endpoints may declare their parameters more narrowly', () => {
    class Endpoint {
      info(ctxt: RequestContext, publisherId: string, eventType: string, payload: InstancePayload): void {
        expectTypeOf(ctxt.userId).toBeString()
        expectTypeOf(payload.state).toBeString()
        expectTypeOf([publisherId, eventType]).toEqualTypeOf<string[]>()
      }
      async error(): Promise<'requeue'> {
        return 'requeue'
      }
    }
    getNotificationListener(transport, [], [new Endpoint()])
  })

  it('parameters of a literal endpoint are known', () => {
    getNotificationListener(
      transport,
      [],
      [
        {
          info: (ctxt, publisherId, eventType, payload, metadata, delivery) => {
            expectTypeOf(ctxt).toEqualTypeOf<object>()
            expectTypeOf(publisherId).toEqualTypeOf<string | null>()
            expectTypeOf(eventType).toEqualTypeOf<string | null>()
            expectTypeOf(payload).toBeUnknown()
            expectTypeOf(metadata).toEqualTypeOf<NotificationMetadata>()
            expectTypeOf(delivery).toEqualTypeOf<NotificationDelivery>()
          },
        },
      ],
    )
    getBatchNotificationListener(
      transport,
      [],
      [
        {
          info: (batch) => {
            expectTypeOf(batch).toEqualTypeOf<readonly ReceivedNotification[]>()
          },
        },
      ],
    )
  })

  it('what is no endpoint, or answers nonsense, is refused', () => {
    // @ts-expect-error: no method for a priority
    getNotificationListener(transport, [], [{ infos() {} }])
    // @ts-expect-error: not a result
    getNotificationListener(transport, [], [{ info: () => 'later' }])
    // @ts-expect-error: a single endpoint is no batch endpoint
    getBatchNotificationListener(transport, [], [{ info: (_ctxt: object, _publisherId: string) => {} }])
  })

  it('a notifier takes any object or null as context, and any payload', () => {
    expectTypeOf(notifier.info(new RequestContext(), 'e', new Date())).toEqualTypeOf<Promise<void>>()
    expectTypeOf(notifier.info(null, 'e', undefined)).toEqualTypeOf<Promise<void>>()
    // @ts-expect-error: a context is an object
    void notifier.info('ctxt', 'e', {})
  })
})
