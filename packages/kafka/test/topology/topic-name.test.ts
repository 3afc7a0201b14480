import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { isMessagingError } from '@oslo-messaging/core/driver'
import {
  checkTopicName,
  formatTopicName,
  topicsToRead,
  topicToSend,
  type VhostMode,
} from '../../src/topology/topic-name.ts'
import { topicRows } from '../support/topic-table.ts'

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

  // Everybody who may be there, with the virtual host `v` in the URL and without one. The table of the deployment
  // guide.
  const MEETINGS = {
    append: { append: true, both: true, compat: true, 'no vhost': false, python: false, 'python no vhost': false },
    both: { append: true, both: true, compat: true, 'no vhost': false, python: false, 'python no vhost': false },
    compat: { append: false, both: true, compat: true, 'no vhost': true, python: true, 'python no vhost': true },
    'no vhost': { append: false, both: true, compat: true, 'no vhost': true, python: true, 'python no vhost': true },
    python: { append: true, both: true, compat: true, 'no vhost': false, python: false, 'python no vhost': false },
    'python no vhost': {
      append: false,
      both: true,
      compat: true,
      'no vhost': true,
      python: true,
      'python no vhost': true,
    },
  } as const
  type Party = keyof typeof MEETINGS
  const parties = Object.keys(MEETINGS) as Party[]

  const sentBy = (party: Party): string => {
    if (party === 'python') return formatTopicName('n', 'info', 'v')
    if (party === 'python no vhost') return formatTopicName('n', 'info', null)
    return party === 'no vhost' ? topicToSend('n.info', null, 'append') : topicToSend('n.info', 'v', party)
  }
  const readBy = (party: Party): readonly string[] => {
    // Python's listener forgets the virtual host.
    if (party.startsWith('python')) return [formatTopicName('n', 'info', null)]
    return party === 'no vhost'
      ? topicsToRead('n', 'info', null, 'append')
      : topicsToRead('n', 'info', 'v', party as VhostMode)
  }

  it.each(parties.flatMap((notifier) => parties.map((listener) => ({ notifier, listener }))))(
    'P34 a notifier of $notifier and a listener of $listener',
    ({ notifier, listener }) => {
      expect(readBy(listener).includes(sentBy(notifier))).toBe(MEETINGS[notifier][listener])
    },
  )

  it('P34 the deployment guide and the decision record have the same table', () => {
    const word = (party: Party): string => party.replace('python', 'Python').replace('no vhost', 'no virtual host')
    const rows = parties.map(
      (notifier) =>
        `| ${[word(notifier), ...parties.map((listener) => (MEETINGS[notifier][listener] ? 'yes' : 'no'))].join(' | ')} |`,
    )
    for (const file of ['kafka-deployment-guide.md', 'adr/0007-kafka-vhost-mode.md']) {
      const text = readFileSync(new URL(`../../../../docs/${file}`, import.meta.url), 'utf8')
      const cells = text.split('\n').map((line) => line.replaceAll(/\s*\|\s*/g, ' | ').trim())
      for (const row of rows) expect(cells, `${file} has ${row}`).toContain(row)
    }
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
