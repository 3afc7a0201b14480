import { FAILURE_HEADERS } from '@oslo-messaging/core/driver'
import type { ClientDelivery, OutgoingPublish } from '../client/client.ts'

/** Headers a burial adds, by this driver, or by RabbitMQ when a queue has a dead-letter exchange or a waiting copy
 *  expires; and the broker's own counts. */
const BURIAL = /^x-(oslo-.*|death|(first|last)-death-.*|delivery-count|acquired-count)$/

/** The queue a dead letter failed in: what this driver wrote beside it, else RabbitMQ's record of the last death.
 *  Undefined: it does not say. */
export function originOf({ properties: { headers = {} } }: ClientDelivery): string | undefined {
  const [lastDeath] = Array.isArray(headers['x-death']) ? (headers['x-death'] as readonly unknown[]) : []
  const inDeath =
    typeof lastDeath === 'object' && lastDeath !== null && 'queue' in lastDeath ? lastDeath.queue : undefined
  return [headers[FAILURE_HEADERS.origin], inDeath].find(
    (name): name is string => typeof name === 'string' && name !== '',
  )
}

/** The message as it was before the burial, for its queue alone: other queues of its exchange have had theirs. */
export function originalOf({ properties, body }: ClientDelivery, queue: string): OutgoingPublish {
  const { headers = {}, contentType, contentEncoding } = properties
  const typeBefore = headers['x-oslo-content-type']
  return {
    exchange: '',
    routingKey: queue,
    mandatory: true,
    expiration: undefined,
    headers: Object.fromEntries(Object.entries(headers).filter(([name]) => !BURIAL.test(name))),
    body,
    content: { type: typeof typeBefore === 'string' ? typeBefore : contentType, encoding: contentEncoding },
  }
}
