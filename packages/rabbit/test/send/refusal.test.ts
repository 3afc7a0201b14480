import { describe, expect, it } from 'vitest'
import { judge, limitIn, type Verdict } from '../../src/send/refusal.ts'
import { amqpError } from '../support/fake-broker.ts'

const message = (bytes: number, exchange = 'nova', routingKey = 'compute') => ({
  exchange,
  routingKey,
  mandatory: false,
  expiration: undefined,
  headers: {},
  body: Buffer.alloc(bytes),
})
const TOO_LARGE = amqpError(406, 'PRECONDITION_FAILED - message size 20 is larger than configured max size 10')
const FORBIDDEN = amqpError(403, "ACCESS_REFUSED - write access to exchange 'nova' in vhost '/' refused for user 'u'")
const FORBIDDEN_TOPIC = amqpError(
  403,
  "ACCESS_REFUSED - write access to topic 'b' in exchange 'nova' in vhost '/' refused for user 'u'",
)

describe('judge', () => {
  const rows: readonly [string, unknown, ReturnType<typeof message>[], boolean, Verdict[]][] = [
    ['a lost connection', new Error('read ECONNRESET'), [message(1), message(2)], true, ['lost', 'lost']],
    ['a missing exchange', amqpError(404, 'NOT_FOUND'), [message(1)], true, ['lost']],
    ['the only message', amqpError(406, 'PRECONDITION_FAILED - whatever'), [message(1)], true, ['refused']],
    [
      'a size',
      TOO_LARGE,
      [message(1), message(20), message(20), message(1)],
      true,
      ['passed', 'refused', 'unsent', 'unsent'],
    ],
    ['a size that none has', TOO_LARGE, [message(1), message(2)], true, ['suspect', 'suspect']],
    [
      'an exchange',
      FORBIDDEN,
      [message(1, 'free'), message(1), message(1, 'free'), message(1)],
      false,
      ['passed', 'refused', 'unsent', 'refused'],
    ],
    ['an exchange that took something before', FORBIDDEN, [message(1), message(1)], true, ['suspect', 'suspect']],
    [
      'a topic',
      FORBIDDEN_TOPIC,
      [message(1, 'nova', 'a'), message(1, 'nova', 'b'), message(1, 'nova', 'a')],
      false,
      ['passed', 'refused', 'unsent'],
    ],
    [
      'an unknown reason',
      amqpError(406, 'PRECONDITION_FAILED - x'),
      [message(1), message(1)],
      false,
      ['suspect', 'suspect'],
    ],
  ]
  it.each(rows)('%s', (_what, error, lost, confirmedAny, verdicts) => {
    expect(judge(error, lost, confirmedAny)).toEqual(verdicts)
  })

  it('reads the limit of the broker', () => {
    expect(limitIn(TOO_LARGE)).toBe(10)
    expect(limitIn(FORBIDDEN)).toBeUndefined()
  })
})
