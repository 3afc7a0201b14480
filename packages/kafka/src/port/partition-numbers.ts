import type { TopicPartition } from './client-port.ts'

/** Epochs are 16 bits on the wire; the session's own is one of the first. */
const LAST_EPOCH = 32_000
/** Sequence numbers are 31 bits on the wire, and begin again at 0. */
const SEQUENCES = 2 ** 31

/** How the next batch of a partition is numbered. */
export interface Numbering {
  /** Counts from the session's own epoch. */
  readonly epoch: number
  readonly sequence: number
}

const FIRST: Numbering = { epoch: 0, sequence: 0 }

/** The numbers of a producer session's batches, for each partition. A broker keeps what comes with the next number of
 *  the present epoch, or with the first of a later one; what it has already is confirmed and thrown away. Source:
 *  Kafka's KIP-98 and KIP-360. */
export class PartitionNumbers {
  readonly #next = new Map<string, Numbering>()

  of(partition: TopicPartition): Numbering {
    return this.#next.get(keyOf(partition)) ?? FIRST
  }

  /** So many records are stored. */
  advance(partition: TopicPartition, count: number): void {
    const { epoch, sequence } = this.of(partition)
    this.#next.set(keyOf(partition), { epoch, sequence: (sequence + count) % SEQUENCES })
  }

  /** What was sent last may be stored or not, and is not sent again. False: there is no further epoch. */
  giveUp(partition: TopicPartition): boolean {
    const { epoch } = this.of(partition)
    if (epoch >= LAST_EPOCH) return false
    this.#next.set(keyOf(partition), { epoch: epoch + 1, sequence: 0 })
    return true
  }
}

function keyOf({ topic, partition }: TopicPartition): string {
  return `${topic}/${partition}`
}
