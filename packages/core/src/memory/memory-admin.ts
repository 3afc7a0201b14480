import {
  type BrokerFacts,
  type DriverAdmin,
  type QueueReport,
  type RedriveReport,
  type RedriveRequest,
  type RemovePoolRequest,
  RedriveTally,
} from '../driver/driver-admin.ts'
import { FAILURE_HEADERS } from '../driver/failure.ts'
import { TransportDriverError } from '../errors.ts'
import type { MemoryBroker } from './memory-broker.ts'
import type { StoredMessage } from './memory-queue.ts'

/** The in-process broker for operators and tests: its dead letters. */
export class MemoryAdmin implements DriverAdmin {
  readonly #broker: MemoryBroker

  constructor(broker: MemoryBroker) {
    this.#broker = broker
  }

  /** `source` and `to` are names of queues: `topic.priority`, or `pool:topic.priority`. */
  async redrive({ source, to, limit, dryRun }: RedriveRequest): Promise<RedriveReport> {
    const tally = new RedriveTally()
    const all = this.#broker.deadLetters()
    let left = 0
    for (const { queue, letters } of all) {
      if (queue.name !== source && `${queue.name}.dead` !== source) continue
      const destination = to === null ? queue : all.find((other) => other.queue.name === to)?.queue
      if (destination === undefined)
        throw new TransportDriverError(`The in-process broker has no queue ${to} to move dead letters to`)
      const count = limit === null ? letters.length : Math.min(letters.length, limit - tally.moved)
      const chosen = dryRun ? letters.slice(0, count) : letters.splice(0, count)
      for (const letter of chosen) {
        tally.move()
        if (!dryRun) destination.push(asSent(letter))
      }
      left += letters.length
    }
    return tally.report(left)
  }

  async queues(): Promise<readonly QueueReport[]> {
    return this.#broker.deadLetters().map(({ queue, letters }) => ({
      name: `${queue.name}.dead`,
      messages: letters.length,
      bytes: letters.reduce((sum, { text }) => sum + Buffer.byteLength(text), 0),
      consumers: 0,
      orphan: false,
      why: 'dead letters: oslo-msg redrive returns them',
    }))
  }

  async check(): Promise<BrokerFacts> {
    return { product: 'memory', version: null }
  }

  async removePool({ pool }: RemovePoolRequest): Promise<boolean> {
    return this.#broker.removePool(pool)
  }

  async close(): Promise<void> {}
}

/** Without what the burial added. */
function asSent(letter: StoredMessage): StoredMessage {
  const added: readonly string[] = Object.values(FAILURE_HEADERS)
  const headers = Object.entries(letter.headers ?? {}).filter(([name]) => !added.includes(name))
  return { ...letter, headers: headers.length === 0 ? undefined : Object.fromEntries(headers) }
}
