import { describe, expect, it } from 'vitest'
import type { ClientDelivery } from '../../src/client/client.ts'
import { originalOf, originOf } from '../../src/admin/dead-letter.ts'

const letter = (headers: Record<string, unknown> | undefined, contentType = 'application/json'): ClientDelivery => ({
  deliveryTag: 1,
  redelivered: false,
  exchange: '',
  routingKey: 'q.dead',
  properties: { headers, contentType, contentEncoding: 'utf-8' },
  body: Buffer.from('{}'),
})

describe('P09 - dead letters of RabbitMQ', () => {
  it.each([
    { headers: { 'x-oslo-origin': 'q', 'x-death': [{ queue: 'q.retry.5', reason: 'expired' }] }, queue: 'q' },
    { headers: { 'x-death': [{ queue: 'q', reason: 'rejected' }, { queue: 'earlier' }] }, queue: 'q' },
    { headers: { 'x-oslo-origin': '', 'x-death': [] }, queue: undefined },
    { headers: { 'x-oslo-origin': 7, 'x-death': ['q', null] }, queue: undefined },
    { headers: {}, queue: undefined },
    { headers: undefined, queue: undefined },
  ])('$headers - came from $queue', ({ headers, queue }) => {
    expect(originOf(letter(headers))).toBe(queue)
  })

  it('the original has the headers it had, its own type, and counts no attempts', () => {
    const headers = {
      traceparent: '00-1-2-03',
      compression: 'application/x-gz',
      'x-mine': 1,
      'x-oslo-attempts': 3,
      'x-oslo-reason': 'r',
      'x-oslo-stack': 's',
      'x-oslo-origin': 'q',
      'x-oslo-exchange': 'e',
      'x-oslo-routing-key': 'k',
      'x-oslo-content-type': 'text/plain',
      'x-death': [],
      'x-first-death-queue': 'q',
      'x-first-death-reason': 'expired',
      'x-last-death-exchange': '',
      'x-delivery-count': 2,
    }
    expect(originalOf(letter(headers), 'q')).toEqual({
      exchange: '',
      routingKey: 'q',
      mandatory: true,
      expiration: undefined,
      headers: { traceparent: '00-1-2-03', compression: 'application/x-gz', 'x-mine': 1 },
      body: Buffer.from('{}'),
      content: { type: 'text/plain', encoding: 'utf-8' },
    })
  })
})
