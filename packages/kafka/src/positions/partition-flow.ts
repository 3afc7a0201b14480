import type { ClientFault, FetchedRecord, TopicPartition } from '../port/client-port.ts'
import { Room } from './room.ts'

/** What one partition of a listener has taken from the broker, handed out and seen settled. Pure bookkeeping: it knows no broker and no time. */
export class PartitionFlow implements TopicPartition {
  readonly topic: string
  readonly partition: number
  /** `<topic>/<partition>`. */
  readonly key: string
  /** Aborts when the partition was taken away and its unfinished records will be delivered to somebody else. */
  readonly revoked: AbortController = new AbortController()
  /** Fetching is paused until the queue has shrunk. */
  paused = false
  /** Its handlers could not keep up lately: pause at once instead of waiting for them. */
  slow = false
  /** Records handed out whose handlers have not ended. */
  open = 0
  /** Where this listener began to read the partition, and who had stored that position. */
  begun: { readonly from: number; readonly after?: string | undefined } = { from: 0 }
  /** Why the group refused a commit; the client hears of it with the next batch. */
  refused: ClientFault | undefined
  /** How often the group was dealt out and the partition stayed. */
  deal = 0
  #next: number | undefined
  #queue: readonly FetchedRecord[] = []
  #head = 0
  /** Records handed out, oldest first; a settled one stays until all before it are settled. */
  #unsettled: { readonly offset: number; settled: boolean }[] = []
  readonly #room: Room
  #queuedBytes = 0
  #end: number | undefined

  /** `room`: where it is told that the queue has become shorter. */
  constructor({ topic, partition }: TopicPartition, room: Room = new Room()) {
    this.#room = room
    this.topic = topic
    this.partition = partition
    this.key = keyOf({ topic, partition })
  }

  /** The first record not taken over yet; undefined before the first one was. */
  get next(): number | undefined {
    return this.#next
  }

  /** Records taken over and not handed out. */
  get queued(): number {
    return this.#queue.length - this.#head
  }

  /** Bytes of these. */
  get queuedBytes(): number {
    return this.#queuedBytes
  }

  /** Where the partition ended when it was last fetched from; undefined: it was not. */
  get end(): number | undefined {
    return this.#end
  }

  /** Records handed out and not settled, or settled behind one that is not. */
  get unsettled(): number {
    return this.#unsettled.length
  }

  /** Everything before this is settled; undefined when nothing was taken over. */
  get settledUpTo(): number | undefined {
    return this.#unsettled[0]?.offset ?? this.firstQueued ?? this.#next
  }

  /** Offset of the oldest record not handed out. */
  get firstQueued(): number | undefined {
    return this.#queue[this.#head]?.offset
  }

  /** A fetch says where the partition ends. */
  sawEnd(end: number): void {
    this.#end = end
  }

  /** Takes over records; `next` is where the following fetch goes on. */
  take(records: readonly FetchedRecord[], next: number): void {
    this.#queuedBytes += bytesOf(records)
    this.#queue = this.queued === 0 ? records : [...this.#queue.slice(this.#head), ...records]
    this.#head = 0
    this.#next = next
  }

  /** The oldest record not handed out yet. */
  shift(): FetchedRecord | undefined {
    const record = this.#queue[this.#head]
    if (record === undefined) return undefined
    this.#head += 1
    this.#queuedBytes -= record.value?.length ?? 0
    return record
  }

  /** Remembers a record as handed out; the returned function settles it and says whether `settledUpTo` moved. */
  handOut(offset: number): () => boolean {
    const entry = { offset, settled: false }
    this.#unsettled.push(entry)
    return () => {
      if (entry.settled) return false
      entry.settled = true
      if (this.#unsettled[0] !== entry) return false
      let done = 0
      while (this.#unsettled[done]?.settled === true) done += 1
      this.#unsettled.splice(0, done)
      return true
    }
  }

  /** Forgets what was not handed out; the count says how much. */
  clearQueue(): number {
    const count = this.queued
    const first = this.firstQueued
    this.#queue = []
    this.#head = 0
    this.#queuedBytes = 0
    if (first !== undefined) this.#next = first
    this.signalRoom()
    return count
  }

  /** Begins at a position, or goes on from another one because somebody else has read further or the topic is another one. `keepQueued`: what is queued is committed, and still to be handed out.
   *  `after`: who had stored that position. */
  moveTo(next: number, keepQueued: boolean, after?: string): void {
    if (!keepQueued) {
      this.clearQueue()
      this.#unsettled = []
    }
    this.#next = next
    this.begun = { from: next, after }
  }

  signalRoom(): void {
    this.#room.signal()
  }
}

/** What these records keep in memory, near enough. */
export function bytesOf(records: readonly FetchedRecord[]): number {
  return records.reduce((sum, { value }) => sum + (value?.length ?? 0), 0)
}

export function keyOf({ topic, partition }: TopicPartition): string {
  return `${topic}/${partition}`
}
