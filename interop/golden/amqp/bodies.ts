import rhea from 'rhea'
import type { Message as AmqpMessage } from 'rhea'

import type { Vector } from '../../../packages/amqp/test/support/vectors.ts'
import type { Message } from '../normalize.ts'

/** A message as it was sent, with its properties. */
export function decode(payload: Buffer): AmqpMessage {
  const message = rhea.message.decode(payload)
  return Object.assign(message, { body: message['body'] as unknown })
}

/** What Python's server sent: its bytes, or, where a traceback was shortened afterwards, the message again. */
export function answersIn(vector: Vector): readonly AmqpMessage[] {
  return vector.wire
    .filter(({ peer, direction, method }) => peer === 'server' && direction === 'sent' && method === 'transfer')
    .map(({ payload_hex: hex, message }) =>
      hex === undefined ? { body: message?.body?.value } : decode(Buffer.from(hex, 'hex')),
    )
}

/** The JSON of a body. */
export function bodyOf(payload: Buffer): Message {
  return JSON.parse(String(decode(payload).body)) as Message
}

/** What `request` holds, without the envelope. */
export function notificationIn({ request }: Message): Message {
  const outer = request as Message
  const text = outer['oslo.message']
  return typeof text === 'string' ? (JSON.parse(text) as Message) : outer
}
