import { decodeBody } from '../../src/wire/message.ts'
import { type Vector, type VectorFrame, vectors } from './vectors.ts'

type Message = Readonly<Record<string, unknown>>

export const isPublish = ({ direction, method }: VectorFrame): boolean =>
  direction === 'sent' && method === 'basic.publish'
export const isRequest = (frame: VectorFrame): boolean => isPublish(frame) && messageOf(frame)['method'] !== undefined
export const isNotification = (frame: VectorFrame): boolean =>
  isPublish(frame) && messageOf(frame)['event_type'] !== undefined
export const isReply = (frame: VectorFrame): boolean => isPublish(frame) && messageOf(frame)['ending'] !== undefined

/** The message in a captured frame, whichever way it was packed. */
export function messageOf(frame: VectorFrame): Message {
  return frame.parsed?.message ?? decodeBody(propertiesOf(frame), bytesOf(frame), 1e6)
}

export function bytesOf(frame: VectorFrame): Buffer {
  return frame.body_base64 === undefined ? Buffer.from(frame.body ?? '') : Buffer.from(frame.body_base64, 'base64')
}

/** Properties of a captured frame as the driver names them. */
export function propertiesOf({ properties = {} }: VectorFrame) {
  const {
    content_type: contentType,
    content_encoding: contentEncoding,
    delivery_mode: deliveryMode,
    headers_types: _,
    ...rest
  } = properties
  return Object.fromEntries(
    Object.entries({ contentType, contentEncoding, deliveryMode, ...rest }).filter(([, value]) => value !== undefined),
  )
}

const isDelivery = ({ direction, method }: VectorFrame): boolean =>
  direction === 'received' && method === 'basic.deliver'

/** Requests as they reached a Python server. */
export function deliveredRequests({ normalized }: Vector): readonly VectorFrame[] {
  return normalized.filter(
    (frame) =>
      frame.peer === 'server' && isDelivery(frame) && !/^(notif|events)/.test(String(frame.args['routing_key'])),
  )
}

/** Replies as they reached a Python client. */
export function deliveredReplies({ normalized }: Vector): readonly VectorFrame[] {
  return normalized.filter(
    (frame) => frame.peer === 'client' && isDelivery(frame) && String(frame.args['routing_key']).startsWith('reply_'),
  )
}

const rpc = vectors('rabbit-rpc-')

/** Which captured file is run by which test. `vectors.connection.test.ts` checks that none is left out. */
export const SETS = {
  serverDeclarations: vectors('rabbit-declare-rpc-server'),
  serverStops: vectors('rabbit-stop-rpc-server'),
  listenerDeclarations: vectors('rabbit-declare-notification-listener'),
  notifierDeclarations: vectors('rabbit-declare-notifier'),
  clientDeclarations: [...vectors('rabbit-declare-rpc-client'), ...vectors('rabbit-declare-reply-queue')],
  fallback: vectors('rabbit-declare-durable-mismatch-fallback'),
  requestsSent: rpc.filter(({ normalized }) => normalized.some(isRequest)),
  notificationsSent: vectors('rabbit-notify-'),
  repliesSent: vectors('rabbit-').filter(({ normalized }) => normalized.some(isReply)),
  requestsReceived: [...rpc, ...vectors('rabbit-edge-')].filter((vector) => deliveredRequests(vector).length > 0),
  repliesReceived: [...rpc, ...vectors('rabbit-edge-reply')].filter((vector) => deliveredReplies(vector).length > 0),
  notificationsReceived: [
    ...vectors('rabbit-notification-consume'),
    ...vectors('rabbit-edge-duplicate-notification'),
    ...vectors('rabbit-edge-unknown-priority'),
  ],
  handshake: vectors('rabbit-connection-handshake'),
  serverStop: vectors('rabbit-server-stop'),
  clientCleanup: vectors('rabbit-client-cleanup'),
  silence: vectors('rabbit-edge-reply-monitor-timeout'),
} as const satisfies Readonly<Record<string, readonly Vector[]>>
