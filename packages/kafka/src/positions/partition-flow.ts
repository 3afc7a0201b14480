import type { ClientFault, FetchedRecord, TopicPartition } from '../port/client-port.ts'
import { Room } from './room.ts'

/** Where a listener began to read a partition, and who had stored that position. */
export interface Beginning {
  readonly from: number
  readonly after?: string | undefined
}

/** A record that was handed out, until the position has passed it. */
export interface Unsettled {
  readonly offset: number
  settled: boolean
}

/** What one partition of a listener has taken from the broker, handed out and seen settled. Pure bookkeeping: it knows
 *  no broker and no time. */
export class PartitionFlow implements TopicPartition {
  readonly topic: string
  readonly partition: number
  /** `<topic>/<partition>`. */
  readonly key: string
  readonly #revoked = new AbortController()
  #isPaused = false
  #isSlow = false
  #open = 0
  #begun: Beginning = { from: 0 }
  #refusal: ClientFault | undefined
  #deal = 0
  #next: number | undefined
  #queue: readonly FetchedRecord[] = []
  #head = 0
  #stranded = 0
  /** Records handed out, oldest first; a settled one stays until all before it are settled. */
  #unsettled: Unsettled[] = []
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

  get begun(): Beginning {
    return this.#begun
  }

  /** Records handed out whose handlers have not ended. */
  get open(): number {
    return this.#open
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

  /** Queued records from before others read on in the partition: handed out here, or nowhere. */
  get stranded(): number {
    return this.#stranded
  }

  /** Offset of the oldest record not handed out behind which nobody else has read. */
  get firstReturnable(): number | undefined {
    return this.#queue[this.#head + this.#stranded]?.offset
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
    if (this.#stranded > 0) this.#stranded -= 1
    this.#queuedBytes -= record.value?.length ?? 0
    if (this.queued === 0) this.#isSlow = false
    return record
  }

  /** The oldest record was handed out. */
  handOut(): void {
    this.#open += 1
  }

  /** The position stays before the record that was handed out last until it has ended. */
  follow(offset: number): Unsettled {
    const unsettled = { offset, settled: false }
    this.#unsettled.push(unsettled)
    return unsettled
  }

  /** A record that was handed out has ended; true: `settledUpTo` moved. */
  endOf(unsettled: Unsettled | undefined, isDone: boolean): boolean {
    this.#open -= 1
    if (!isDone || unsettled === undefined) return false
    unsettled.settled = true
    if (this.#unsettled[0] !== unsettled) return false
    let done = 0
    while (this.#unsettled[done]?.settled === true) done += 1
    this.#unsettled.splice(0, done)
    return true
  }

  /** Forgets what was not handed out; the count says how much. */
  clearQueue(): number {
    const count = this.queued
    const first = this.firstQueued
    this.#queue = []
    this.#head = 0
    this.#stranded = 0
    this.#queuedBytes = 0
    this.#isSlow = false
    if (first !== undefined) this.#next = first
    this.signalRoom()
    return count
  }

  /** Begins at a position, or goes on from another one because somebody else has read further or the topic is another
   *  one. `keepQueued`: what is queued is committed, and still to be handed out. `after`: who had stored that
   *  position. */
  moveTo(next: number, keepQueued: boolean, after?: string): void {
    if (!keepQueued) {
      this.clearQueue()
      this.#unsettled = []
    } else if (next !== this.#next) this.#stranded = this.queued
    this.#next = next
    this.#begun = { from: next, after }
  }

  // --- fetching ------------------------------------------------------------------------------------------------------

  /** Fetching is paused until the queue has shrunk. */
  get isPaused(): boolean {
    return this.#isPaused
  }

  /** Its handlers could not keep up, and its queue has not been empty since: it is not waited for. */
  get isSlow(): boolean {
    return this.#isSlow
  }

  pause(): void {
    this.#isSlow = true
    this.#isPaused = true
  }

  resume(): void {
    this.#isPaused = false
  }

  // --- the group -----------------------------------------------------------------------------------------------------

  /** How often the group was dealt out and the partition stayed. */
  get deal(): number {
    return this.#deal
  }

  /** The group was dealt out, and the partition stayed. */
  dealtAgain(): void {
    this.#deal += 1
    this.#refusal = undefined
  }

  /** The group refused a commit; the client hears of it with the next batch. */
  refuse(fault: ClientFault): void {
    this.#refusal = fault
  }

  /** Why the group refused the last commit; told once. */
  takeRefusal(): ClientFault | undefined {
    const refusal = this.#refusal
    this.#refusal = undefined
    return refusal
  }

  /** Aborts when the partition was taken away and its unfinished records will be delivered to somebody else. */
  get signal(): AbortSignal {
    return this.#revoked.signal
  }

  get isRevoked(): boolean {
    return this.#revoked.signal.aborted
  }

  revoke(reason: Error): void {
    this.#revoked.abort(reason)
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
