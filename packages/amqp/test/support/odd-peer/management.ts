import { messageBytes, readMessage } from './message.ts'
import type { OddSession } from './session.ts'

/** The management node of RabbitMQ 4: requests in the manner of HTTP over a pair of links of one name; here whatever is
 *  asked for is granted, and kept for tests to look at. */
export function answerManagement(session: OddSession, request: Buffer): void {
  const { messageId = '', subject = '', to = '' } = readMessage(request)
  const { connection } = session
  connection.declared.push(`${subject} ${to}`)
  const status = connection.options.managementStatus?.(subject, to) ?? 201
  const link = [...session.links.values()].find((each) => each.address === '/management' && !each.isIncoming)
  link?.deliver(messageBytes({ subject: String(status), correlationId: messageId, body: null }), { settled: false })
}
