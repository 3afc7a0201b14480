import { ClientFault } from '../port/client-port.ts'
import { AnswerReader } from './answer-reader.ts'

/** The question about the quorum of controllers. Source: Kafka protocol guide, DescribeQuorum API. */
export const DESCRIBE_QUORUM = { key: 55, version: 1 } as const

const TOPIC = '__cluster_metadata'
const NONE = -1
const ERRORS: Readonly<Record<number, string>> = { 31: 'CLUSTER_AUTHORIZATION_FAILED', 35: 'UNSUPPORTED_VERSION' }

/** Shape: tags of the request's head, [topic [partition tags] tags] tags. Lists and texts have their count and one more
 *  in front. */
export function encodeQuorumRequest(): Buffer {
  const body = Buffer.alloc(TOPIC.length + 11)
  body[1] = 2
  body[2] = TOPIC.length + 1
  body.write(TOPIC, 3)
  body[3 + TOPIC.length] = 2
  return body
}

/** The clock of the active controller, milliseconds since 1970. Throws ClientFault when the answer has none.
 *  Shape, behind the tags of the answer's head: error_code [topic [partition error_code leader_id leader_epoch
 *  high_watermark [voter log_end_offset last_fetch last_caught_up] ...]]. Kafka gives its present time as the time at
 *  which the leader was caught up with itself. */
export function decodeQuorumClock(answer: Buffer): number {
  const reader = new AnswerReader(answer)
  reader.tags()
  check(reader.int16())
  if (reader.count() < 1) throw timeless()
  reader.skip(reader.count())
  if (reader.count() < 1) throw timeless()
  reader.skip(4)
  check(reader.int16())
  const leader = reader.int32()
  reader.skip(4 + 8)
  for (let voters = reader.count(); voters > 0; voters -= 1) {
    const id = reader.int32()
    reader.skip(8 + 8)
    const caughtUp = reader.int64()
    reader.tags()
    if (id === leader && caughtUp !== NONE) return caughtUp
  }
  throw timeless()
}

function check(errorCode: number): void {
  if (errorCode !== 0)
    throw new ClientFault(ERRORS[errorCode] ?? `UNKNOWN_${errorCode}`, 'Kafka does not say what time it is')
}

function timeless(): ClientFault {
  return new ClientFault('UNSUPPORTED_VERSION', 'This Kafka does not say what time it is')
}
