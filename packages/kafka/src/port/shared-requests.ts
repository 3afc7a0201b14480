import { createDeferred, type Deferred } from '@oslo-messaging/core/driver'
import { ClientFault, type OutgoingRecord, type ProduceRequest, type TopicPartition } from './client-port.ts'
import { PartitionNumbers } from './partition-numbers.ts'

/** What a broker reads at once by default (socket.request.max.bytes), less what surrounds the records. */
const LARGEST_REQUEST_BYTES = 100 * 1024 * 1024 - 1024
/** Topics share a request up to so many bytes of records: more would make each wait for the others. */
const SHARED_REQUEST_BYTES = 4 * 1024 * 1024
const NO_LEADER = -1

export interface PartitionLeader {
  readonly partitionId: number
  /** -1: nobody leads it. */
  readonly leader: number
}

/** One batch on its way. */
export interface Sending extends TopicPartition {
  readonly records: readonly OutgoingRecord[]
  readonly bytes: number
  /** Its request may have left the process. */
  written: boolean
}

interface Waiting extends Sending {
  readonly outcome: Deferred<void>
}

/** What differs between clients. */
export interface SharedRequestsOptions {
  readonly idempotent: boolean
  /** One at least. Rejects with the fault of this topic; what is wrong with others does not matter. */
  readonly partitionsOf: (topic: string, wanted: number | undefined) => Promise<readonly PartitionLeader[]>
  /** Sends batches to a broker in one request. Resolves to what became of each: undefined, or its fault. Rejects with
   *  what is wrong with all. */
  readonly send: (leader: number, batches: readonly Sending[]) => Promise<readonly (ClientFault | undefined)[]>
  /** Partitions of these topics may have moved: the next attempt has to know where to. */
  readonly doubt: (topics: readonly string[]) => Promise<void> | void
}

/** One produce request at a time for each broker: what arrives for it meanwhile, of whatever topics, shares the next
 *  one. Every batch has its own outcome. */
export class SharedRequests {
  readonly numbers: PartitionNumbers = new PartitionNumbers()
  readonly #options: SharedRequestsOptions
  /** What waits for a broker's next request, by the broker's id; there is an entry as long as a request is under
   *  way. */
  readonly #waiting = new Map<number, Waiting[]>()
  #turn = Math.floor(Math.random() * 0xffff)
  #isExhausted = false

  constructor(options: SharedRequestsOptions) {
    this.#options = options
  }

  /** As ProducerPort.produce. */
  async produce({ topic, partition: wanted, records }: ProduceRequest): Promise<void> {
    if (this.#isExhausted) throw new ClientFault('PRODUCER_FENCED', 'The numbers of this producer session are used up')
    const { partition, leader } = await this.#choose(topic, wanted)
    const bytes = records.reduce((sum, { value }) => sum + (value?.length ?? 0), 0)
    const sending: Waiting = { topic, partition, records, bytes, outcome: createDeferred<void>(), written: false }
    const waiting = this.#waiting.get(leader)
    if (waiting === undefined) {
      this.#waiting.set(leader, [sending])
      void this.#serve(leader)
    } else waiting.push(sending)
    await sending.outcome.promise
  }

  /** As ProducerPort.giveUp. */
  giveUp(partition: TopicPartition): void {
    if (this.#options.idempotent && !this.numbers.giveUp(partition)) this.#isExhausted = true
  }

  /** The partition to send to, and the broker that leads it: the one that is wanted, else the next one in turn that has
   *  a leader. */
  async #choose(topic: string, wanted: number | undefined): Promise<{ partition: number; leader: number }> {
    const known = await this.#options.partitionsOf(topic, wanted)
    if (wanted !== undefined) {
      const metadata = known.find(({ partitionId }) => partitionId === wanted)
      if (metadata === undefined)
        throw new ClientFault('PartitionMissing', `Topic ${topic} has no partition ${wanted}`, { partition: wanted })
      return led(topic, metadata)
    }
    const usable = known.filter(({ leader }) => leader > NO_LEADER)
    this.#turn = (this.#turn + 1) % 0x7fffffff
    const all = usable.length > 0 ? usable : known
    return led(topic, all[this.#turn % all.length] ?? { partitionId: 0, leader: NO_LEADER })
  }

  async #serve(leader: number): Promise<void> {
    for (let waiting = this.#waiting.get(leader) ?? []; waiting.length > 0;) {
      // Topics whose last batch came back in one answer send their next ones now, all of them.
      await new Promise((resolve) => setImmediate(resolve))
      await this.#send(leader, takeShare(waiting))
      waiting = this.#waiting.get(leader) ?? []
    }
    this.#waiting.delete(leader)
  }

  /** Sends batches in one request and settles each. Never rejects. */
  async #send(leader: number, share: readonly Waiting[]): Promise<void> {
    let faults: readonly (ClientFault | undefined)[]
    try {
      faults = await this.#options.send(leader, share)
    } catch (error) {
      for (const sending of share) sending.outcome.reject(faultOfAll(error, sending))
      return
    }
    const failed: { readonly sending: Waiting; readonly fault: ClientFault }[] = []
    for (const [index, sending] of share.entries()) {
      const fault = faults[index]
      // The broker has it already when its number comes again: an earlier attempt arrived.
      if (fault === undefined || fault.type === 'DUPLICATE_SEQUENCE_NUMBER') {
        this.numbers.advance(sending, sending.records.length)
        sending.outcome.resolve()
      } else failed.push({ sending, fault })
    }
    if (failed.length === 0) return
    // Most faults of a partition mean that it has moved.
    await this.#options.doubt(failed.map(({ sending }) => sending.topic))
    for (const { sending, fault } of failed) sending.outcome.reject(fault)
  }
}

function led(
  topic: string,
  { partitionId: partition, leader }: PartitionLeader,
): { partition: number; leader: number } {
  if (leader > NO_LEADER) return { partition, leader }
  throw new ClientFault('LEADER_NOT_AVAILABLE', `Partition ${partition} of ${topic} has no leader`, { partition })
}

/** The first that wait, as many as share a request; one always does. */
function takeShare(waiting: Waiting[]): readonly Waiting[] {
  let bytes = 0
  const partitions = new Set<string>()
  const end = waiting.findIndex((sending, index) => {
    const key = `${sending.topic}/${sending.partition}`
    bytes += sending.bytes
    const isAgain = partitions.has(key)
    partitions.add(key)
    return index > 0 && (isAgain || bytes > SHARED_REQUEST_BYTES)
  })
  return waiting.splice(0, end === -1 ? waiting.length : end)
}

/** What is wrong with a request, as said to one of those who shared it. */
function faultOfAll(error: unknown, { written, partition, bytes }: Sending): ClientFault {
  const { type, message, host } =
    error instanceof ClientFault
      ? error
      : new ClientFault('Error', error instanceof Error ? error.message : String(error))
  const options = { cause: error, written, partition, host }
  if (!written || bytes < LARGEST_REQUEST_BYTES || !CUT.test(type)) return new ClientFault(type, message, options)
  // A broker reads the size of a request first and cuts the connection when it is more than it takes. Only one that
  // large is ever alone in a request.
  return new ClientFault(
    'RequestTooLarge',
    'The broker cut the connection instead of reading a request this large',
    options,
  )
}

const CUT = /^(EPIPE|ECONNRESET|KafkaJSConnectionClosedError|ConnectionClosed)$/
