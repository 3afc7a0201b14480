import type { Nemesis } from '../../frame/nemesis.ts'
import { Program } from '../../load/program.ts'
import { placeOf, TOPICS } from '../topics.ts'
import type { NemesisParts } from './parts.ts'

const LARGE_BYTES = 1_000_000
const LARGE_RECORDS = 24
const AHEAD_MS = 2 * 3_600_000
const AHEAD_RECORDS = 20

/** Another program writes in transactions to the topics under test; every second one is aborted. */
export function transactionalWriter({ cluster }: NemesisParts): Nemesis {
  return {
    name: 'transactional writer',
    disturbs: ['transactions'],
    strike: async ({ forMs }) => {
      let says = 'nothing'
      let count = 0
      const topics = [TOPICS.one, TOPICS.six].map(placeOf)
      const file = new URL('../transactional-writer.js', import.meta.url)
      const writer = new Program(file, [cluster.admin.brokers.join(','), String(forMs), ...topics], (line) => {
        const [committed = 0, aborted = 0] = line.split(' ').map(Number)
        count = committed + aborted
        says = `${committed} transactions committed and ${aborted} aborted beside us`
      })
      await writer.ended()
      return { count, says }
    },
  }
}

/** Notifications of a megabyte, all begun at once. */
export function largeRecords({ recorder, notify }: NemesisParts): Nemesis {
  const topic = TOPICS.six
  return {
    name: 'records of 1 MB',
    disturbs: ['memory'],
    strike: async () => {
      const pad = 'x'.repeat(LARGE_BYTES)
      const ends = Array.from({ length: LARGE_RECORDS }, async () => {
        const message = recorder.take()
        recorder.record({ kind: 'sent', message, place: placeOf(topic), dueAt: recorder.now + topic.timeoutMs })
        try {
          await notify(topic, message, pad)
          recorder.record({ kind: 'resolved', message })
          return 1
        } catch (error) {
          recorder.reject(message, error)
          return 0
        }
      })
      const count = (await Promise.all(ends)).reduce((sum: number, one) => sum + one, 0)
      return { count, says: `${count} of ${LARGE_RECORDS} records of 1 MB were stored` }
    },
  }
}

/** Another program of ours sends with a clock two hours ahead. */
export function clockAhead({ place, recorder }: NemesisParts): Nemesis {
  const topic = TOPICS.six
  return {
    name: 'clock ahead',
    disturbs: ['clock'],
    strike: async () => {
      const numbers = Array.from({ length: AHEAD_RECORDS }, () => recorder.take())
      const dueAt = recorder.now + topic.timeoutMs + 60_000
      for (const message of numbers) recorder.record({ kind: 'sent', message, place: placeOf(topic), dueAt })
      const counts = { resolved: 0, rejected: 0 }
      const file = new URL('../clock-sender.js', import.meta.url)
      const args = [
        place.url,
        place.client,
        topic.name,
        String(topic.timeoutMs),
        String(AHEAD_MS),
        ...numbers.map(String),
      ]
      const sender = new Program(file, args, (line) => {
        const { message, error } = JSON.parse(line) as { readonly message: number; readonly error?: object }
        if (error === undefined) recorder.record({ kind: 'resolved', message })
        else recorder.reject(message, error)
        counts[error === undefined ? 'resolved' : 'rejected'] += 1
      })
      await sender.ended()
      const { resolved, rejected } = counts
      return { count: resolved + rejected, says: `two hours ahead: ${resolved} resolved, ${rejected} rejected` }
    },
  }
}
