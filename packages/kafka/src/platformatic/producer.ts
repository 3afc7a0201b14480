import {
  ClientFault,
  type ProducerPort,
  type ProducerPortOptions,
  type ProduceRequest,
  type TopicPartition,
} from '../port/client-port.ts'
import { CODEC_NUMBERS, type Codecs } from '../port/codecs.ts'
import { type PartitionLeader, type Sending, SharedRequests } from '../port/shared-requests.ts'
import { readProduceAnswer } from '../wire/produce-answer.ts'
import { type ProduceFacts, encodeProduceRequest } from '../wire/produce-request.ts'
import { ANSWER_MS, type Cluster, isAway } from './cluster.ts'
import { faultOf } from './fault.ts'

const PRODUCE = 0
const VERSION = 7
const ACKS_ALL = -1
const NOT_NUMBERED = { producerId: -1n, producerEpoch: -1 }
const INIT_ATTEMPTS = 5
const INIT_PAUSE_MS = 100

export class PlatformaticProducer implements ProducerPort {
  readonly #cluster: Cluster
  readonly #codecs: Codecs
  readonly #options: ProducerPortOptions
  readonly #requests: SharedRequests
  #numbered: { readonly producerId: bigint; readonly producerEpoch: number } | undefined

  constructor(cluster: Cluster, codecs: Codecs, options: ProducerPortOptions) {
    this.#cluster = cluster
    this.#codecs = codecs
    this.#options = options
    this.#requests = new SharedRequests({
      idempotent: options.idempotent,
      partitionsOf: async (topic) => await this.#partitionsOf(topic),
      send: async (leader, batches) => await this.#send(leader, batches),
      doubt: (topics) => cluster.doubt(topics),
    })
  }

  async connect(): Promise<void> {
    await this.#cluster.connect()
    this.#numbered ??= this.#options.idempotent ? await this.#begin() : NOT_NUMBERED
  }

  async produce(request: ProduceRequest): Promise<void> {
    await this.#requests.produce(request)
  }

  async partitions(topic: string): Promise<number> {
    return (await this.#partitionsOf(topic)).length
  }

  giveUp(partition: TopicPartition): void {
    this.#requests.giveUp(partition)
  }

  async disconnect(): Promise<void> {
    this.#cluster.close()
    await Promise.resolve()
  }

  /** Brokers hand out the numbers of producers in blocks, and may have to ask for the next one first. */
  async #begin(): Promise<{ readonly producerId: bigint; readonly producerEpoch: number }> {
    const { initProducerIdV4 } = this.#cluster.library
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await this.#cluster.askAny((connection) =>
          initProducerIdV4.api.async(
            connection,
            null,
            this.#options.timeoutMs,
            NOT_NUMBERED.producerId,
            NOT_NUMBERED.producerEpoch,
          ),
        )
      } catch (error) {
        const fault = faultOf(error)
        if (!/^(GROUP_LOAD_IN_PROGRESS|GROUP_COORDINATOR_NOT_AVAILABLE)$/.test(fault.type) || attempt === INIT_ATTEMPTS)
          throw fault
        await new Promise((resolve) => setTimeout(resolve, INIT_PAUSE_MS))
      }
    }
  }

  async #partitionsOf(topic: string): Promise<readonly PartitionLeader[]> {
    await this.#cluster.know([topic], { create: true })
    const fault = this.#cluster.faultOf(topic)
    if (fault !== undefined) throw fault
    return this.#cluster.partitionsOf(topic)
  }

  async #send(leader: number, batches: readonly Sending[]): Promise<readonly (ClientFault | undefined)[]> {
    const { compression, timeoutMs } = this.#options
    const { producerId, producerEpoch } = this.#numbered ?? NOT_NUMBERED
    const attribute = CODEC_NUMBERS[compression]
    const facts: ProduceFacts = {
      acks: ACKS_ALL,
      timeoutMs,
      producerId,
      timestamp: Date.now(),
      ...(attribute === 0
        ? {}
        : { codec: { attribute, compress: async (records) => await this.#codecs(attribute).compress(records) } }),
    }
    const body = await encodeProduceRequest(
      facts,
      batches.map(({ topic, partition, records }) => {
        const { epoch, sequence } = this.#requests.numbers.of({ topic, partition })
        return { topic, partition, producerEpoch: producerEpoch + epoch, firstSequence: sequence, records }
      }),
    )
    try {
      const answer = await this.#cluster.ask(
        leader,
        'control',
        async (connection) => {
          for (const batch of batches) batch.written = true
          return await this.#cluster.send(connection, PRODUCE, VERSION, body)
        },
        timeoutMs + ANSWER_MS,
      )
      const codes = readProduceAnswer(answer)
      return batches.map(({ topic, partition }) => {
        const code = codes.find((each) => each.topic === topic && each.partition === partition)?.errorCode
        if (code === 0) return undefined
        const name = code === undefined ? 'PartitionMissing' : this.#cluster.errorName(code)
        return new ClientFault(name, `The broker says ${name} of partition ${partition} of ${topic}`, {
          written: true,
          partition,
        })
      })
    } catch (error) {
      const fault = faultOf(error)
      // Its partitions have another leader soon, of which the metadata is to tell.
      if (isAway(fault)) this.#cluster.doubt(batches.map(({ topic }) => topic))
      throw fault
    }
  }
}
