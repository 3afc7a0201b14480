import net from 'node:net'

import type { HostPort } from '../broker.ts'

/** The three requests of Kafka's protocol that a test room needs, written by hand: this package has no dependencies. */

export interface KafkaMetadata {
  readonly brokers: readonly (HostPort & { readonly id: number })[]
  /** Topics that were asked for, with the leader of each partition; -1 where there is none yet. */
  readonly topics: ReadonlyMap<string, { readonly error: number; readonly leaders: readonly number[] }>
}

/** Metadata version 1 for the given topics; undefined when the broker does not answer in time. */
export async function metadata(at: HostPort, topics: readonly string[] = []): Promise<KafkaMetadata | undefined> {
  const reply = await request(at, 3, 1, [int32(topics.length), ...topics.map(text)])
  return reply === undefined ? undefined : readMetadata(new Reader(reply))
}

/** How topics are made. */
export interface TopicOptions {
  /** Default 1. */
  readonly partitions?: number
  /** Default: one on each broker, three at most. */
  readonly replicas?: number
  /** Options of the topic by Kafka's names. Default: those of the broker. */
  readonly config?: Readonly<Record<string, string>>
}

/** How long a request to create topics may take: 30 s of the broker's own, and a little for the way. */
const CREATE_MS = 35_000
const AGAIN_MS = 250

/** CreateTopics version 2. Resolves to the error code of each topic: 0 made, 36 was there. A connection that breaks is
 *  made again: a broker that has just begun to answer may still close some. */
export async function createTopics(
  at: HostPort,
  names: readonly string[],
  options: TopicOptions & { readonly partitions: number; readonly replicas: number },
): Promise<ReadonlyMap<string, number>> {
  const config = Object.entries(options.config ?? {})
    .flat()
    .map(text)
  const rest = Buffer.concat([
    int32(options.partitions),
    int16(options.replicas),
    int32(0),
    int32(config.length / 2),
    ...config,
  ])
  const topics = names.map((name) => Buffer.concat([text(name), rest]))
  const body = [int32(names.length), ...topics, int32(30_000), Buffer.from([0])]
  const until = performance.now() + CREATE_MS
  let reply: Buffer | undefined
  let tries = 0
  for (let left = CREATE_MS; reply === undefined && left > AGAIN_MS; left = until - performance.now()) {
    if (tries > 0) await new Promise((resolve) => setTimeout(resolve, AGAIN_MS))
    tries += 1
    reply = await request(at, 19, 2, body, left)
  }
  if (reply === undefined)
    throw new Error(
      `Kafka at ${at.host}:${at.port} did not answer a request to create topics within ${CREATE_MS / 1000} s, on ${tries} connections`,
    )
  const reader = new Reader(reply)
  reader.int32()
  const codes = new Map<string, number>()
  for (let left = reader.int32(); left > 0; left--) {
    const name = reader.text() ?? ''
    codes.set(name, reader.int16())
    reader.text()
  }
  return codes
}

/** Sends one request on a connection of its own and resolves to the body of the reply; undefined when none comes. */
function request(
  at: HostPort,
  api: number,
  version: number,
  body: readonly Buffer[],
  timeoutMs = 3000,
): Promise<Buffer | undefined> {
  const payload = Buffer.concat([int16(api), int16(version), int32(1), text('brokers-room'), ...body])
  return new Promise((resolve) => {
    const socket = net.connect({ host: at.host, port: at.port })
    let received = Buffer.alloc(0)
    const end = (reply: Buffer | undefined): void => {
      clearTimeout(timer)
      socket.destroy()
      resolve(reply)
    }
    const timer = setTimeout(() => end(undefined), timeoutMs)
    socket.on('connect', () => socket.write(Buffer.concat([int32(payload.length), payload])))
    socket.on('data', (chunk) => {
      received = Buffer.concat([received, chunk])
      if (received.length >= 4 && received.length >= 4 + received.readInt32BE(0)) end(received.subarray(8))
    })
    socket.on('error', () => end(undefined))
    socket.on('close', () => end(undefined))
  })
}

function readMetadata(reader: Reader): KafkaMetadata {
  const brokers = reader.list(() => {
    const id = reader.int32()
    const host = reader.text() ?? ''
    const port = reader.int32()
    reader.text()
    return { id, host, port }
  })
  reader.int32()
  const topics = reader.list(() => {
    const error = reader.int16()
    const name = reader.text() ?? ''
    reader.skip(1)
    const leaders = reader.list(() => {
      reader.skip(6)
      const leader = reader.int32()
      reader.list(() => reader.int32())
      reader.list(() => reader.int32())
      return leader
    })
    return [name, { error, leaders }] as const
  })
  return { brokers, topics: new Map(topics) }
}

class Reader {
  readonly #bytes: Buffer
  #at = 0

  constructor(bytes: Buffer) {
    this.#bytes = bytes
  }

  skip(bytes: number): void {
    this.#at += bytes
  }

  int16(): number {
    this.#at += 2
    return this.#bytes.readInt16BE(this.#at - 2)
  }

  int32(): number {
    this.#at += 4
    return this.#bytes.readInt32BE(this.#at - 4)
  }

  text(): string | null {
    const length = this.int16()
    if (length < 0) return null
    this.#at += length
    return this.#bytes.toString('utf8', this.#at - length, this.#at)
  }

  list<T>(read: () => T): T[] {
    return Array.from({ length: Math.max(0, this.int32()) }, read)
  }
}

function int16(value: number): Buffer {
  const bytes = Buffer.alloc(2)
  bytes.writeInt16BE(value)
  return bytes
}

function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeInt32BE(value)
  return bytes
}

function text(value: string): Buffer {
  const bytes = Buffer.from(value, 'utf8')
  return Buffer.concat([int16(bytes.length), bytes])
}
