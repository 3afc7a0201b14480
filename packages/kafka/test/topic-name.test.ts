import { describe, expect, it } from 'vitest'
import { isMessagingError } from '@oslo-messaging/core/driver'
import { checkTopicName, topicsToRead, topicToSend } from '../src/topic-name.ts'
import { topicRows } from './support/topic-table.ts'

describe('topic names', () => {
  it.each(topicRows)('unit-kafka-topics - $title', ({ compute, python }) => {
    expect(compute()).toBe(python)
  })

  it.each([
    { mode: 'append', vhost: null, sends: 'n.info', reads: ['n.info'] },
    { mode: 'both', vhost: null, sends: 'n.info', reads: ['n.info'] },
    { mode: 'compat', vhost: null, sends: 'n.info', reads: ['n.info'] },
    { mode: 'append', vhost: '', sends: 'n.info', reads: ['n.info'] },
    { mode: 'append', vhost: 'v', sends: 'n.info.v', reads: ['n.info.v'] },
    { mode: 'both', vhost: 'v', sends: 'n.info.v', reads: ['n.info.v', 'n.info'] },
    { mode: 'compat', vhost: 'v', sends: 'n.info', reads: ['n.info.v', 'n.info'] },
  ] as const)('kafka_vhost_mode $mode, vhost $vhost - sends to $sends and reads $reads', (row) => {
    expect(topicToSend('n.info', row.vhost, row.mode)).toBe(row.sends)
    expect(topicsToRead('n', 'info', row.vhost, row.mode)).toEqual(row.reads)
  })

  // Python: a notifier appends the virtual host, a listener does not (WIRE 8).
  it.each([
    { mode: 'append', pythonNotifier: true, pythonListener: false },
    { mode: 'both', pythonNotifier: true, pythonListener: false },
    { mode: 'compat', pythonNotifier: true, pythonListener: true },
  ] as const)(
    'kafka_vhost_mode $mode - with a vhost, meets a Python notifier $pythonNotifier and a Python listener $pythonListener',
    (row) => {
      expect(topicsToRead('n', 'info', 'v', row.mode).includes('n.info.v')).toBe(row.pythonNotifier)
      expect(topicToSend('n.info', 'v', row.mode) === 'n.info').toBe(row.pythonListener)
    },
  )

  it.each(['append', 'both', 'compat'] as const)('kafka_vhost_mode %s - our notifier and our listener meet', (mode) => {
    expect(topicsToRead('n', 'info', 'v', mode)).toContain(topicToSend('n.info', 'v', mode))
  })

  it.each(['n.info.a/b', 'n.info.é', '', '.', '..', 'x'.repeat(250)])('refuses %j, which no broker takes', (name) => {
    let thrown: unknown
    try {
      checkTopicName(name)
    } catch (error) {
      thrown = error
    }
    expect(isMessagingError(thrown, 'INVALID_TARGET')).toBe(true)
    expect(thrown).toMatchObject({ delivery: 'not-sent' })
  })
})
