import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import type { Socket } from 'node:net'
import { dirname, join } from 'node:path'
import type { ConnectionOptions } from 'node:tls'
import { DriverLoadFailure } from '@oslo-messaging/core/driver'
import type { ImportPackage } from '../port/codecs.ts'

const NAME = '@platformatic/kafka'

/** Of an answer, what is behind its head. */
export interface AnswerReader {
  readonly buffer: { slice(start: number): Buffer }
  readonly position: number
}

/** A request under construction. */
export interface RequestWriter {
  append(data: Buffer): RequestWriter
}

/** One connection to a broker: it logs in, and pairs answers with requests. */
export interface LibraryConnection {
  readonly socket: Socket | undefined
  connect(host: string, port: number): Promise<void>
  /** Ends it in good order, and its timers at once. */
  close(): Promise<void>
  on(event: 'error' | 'close', listener: (error: Error) => void): void
  send(
    key: number,
    version: number,
    payload: () => RequestWriter,
    parse: (correlation: number, key: number, version: number, reader: AnswerReader) => Buffer,
    hasRequestTags: boolean,
    hasAnswerTags: boolean,
    done: (error: Error | null, answer?: Buffer) => void,
  ): void
}

export interface LibrarySasl {
  readonly mechanism: string
  readonly username?: string
  readonly password?: string
  readonly token?: () => Promise<string>
}

export interface LibraryConnectionOptions {
  readonly connectTimeout: number
  readonly requestTimeout: number
  readonly maxInflights: number
  readonly tls?: ConnectionOptions
  readonly tlsServerName?: string
  readonly sasl?: LibrarySasl
}

/** A kind of request in one version: `async` writes it, and resolves to its answer unless that holds an error. */
interface Api<Fields extends readonly unknown[], Answer> {
  readonly api: { readonly async: (connection: LibraryConnection, ...fields: Fields) => Promise<Answer> }
}

type Instance = string | null

export interface MetadataAnswer {
  readonly brokers: readonly { readonly nodeId: number; readonly host: string; readonly port: number }[]
  readonly topics: readonly {
    readonly errorCode: number
    readonly name: string | null
    readonly partitions: readonly {
      readonly errorCode: number
      readonly partitionIndex: number
      readonly leaderId: number
      readonly replicaNodes: readonly number[]
      readonly isrNodes: readonly number[]
    }[]
  }[]
}

export interface JoinAnswer {
  readonly generationId: number
  readonly protocolName: string | null
  readonly leader: string
  readonly memberId: string
  readonly members: readonly { readonly memberId: string; readonly metadata: Buffer | null }[]
}

/** Partitions by topic, as several requests write them. */
type ByTopic<Partition> = readonly { readonly name: string; readonly partitions: readonly Partition[] }[]

/** What this package uses of the library; every version of a request is one that Kafka 3.0 and all later brokers
 *  have. */
export interface Library {
  readonly Connection: new (clientId: string, options: LibraryConnectionOptions) => LibraryConnection
  readonly Writer: { create(): RequestWriter }
  /** The name of each error code of the protocol. */
  readonly protocolErrorsCodesById: Readonly<Record<number, string>>
  readonly metadataV12: Api<[topics: readonly string[] | null, create: boolean], MetadataAnswer>
  readonly findCoordinatorV4: Api<
    [type: number, keys: readonly string[]],
    {
      readonly coordinators: readonly { readonly nodeId: number; readonly host: string; readonly port: number }[]
    }
  >
  readonly initProducerIdV4: Api<
    [transaction: null, timeoutMs: number, producerId: bigint, producerEpoch: number],
    { readonly producerId: bigint; readonly producerEpoch: number }
  >
  readonly joinGroupV7: Api<
    [
      group: string,
      sessionTimeoutMs: number,
      rebalanceTimeoutMs: number,
      member: string,
      instance: Instance,
      type: string,
      protocols: readonly { readonly name: string; readonly metadata: Buffer }[],
    ],
    JoinAnswer
  >
  readonly syncGroupV5: Api<
    [
      group: string,
      generation: number,
      member: string,
      instance: Instance,
      type: string,
      protocol: string | null,
      assignments: readonly { readonly memberId: string; readonly assignment: Buffer }[],
    ],
    { readonly assignment: Buffer }
  >
  readonly heartbeatV4: Api<[group: string, generation: number, member: string, instance: Instance], unknown>
  readonly leaveGroupV4: Api<[group: string, members: readonly { readonly memberId: string }[]], unknown>
  readonly offsetCommitV8: Api<
    [
      group: string,
      generation: number,
      member: string,
      instance: Instance,
      topics: ByTopic<{
        readonly partitionIndex: number
        readonly committedOffset: bigint
        readonly committedLeaderEpoch: number
        readonly committedMetadata: string | null
      }>,
    ],
    unknown
  >
  readonly offsetFetchV8: Api<
    [
      groups: readonly {
        readonly groupId: string
        readonly topics: readonly { readonly name: string; readonly partitionIndexes: readonly number[] }[]
      }[],
      requireStable: boolean,
    ],
    {
      readonly groups: readonly {
        readonly topics: ByTopic<{
          readonly partitionIndex: number
          readonly committedOffset: bigint
          readonly metadata: string | null
        }>
      }[]
    }
  >
  readonly listOffsetsV7: Api<
    [
      replica: number,
      isolation: number,
      topics: ByTopic<{
        readonly partitionIndex: number
        readonly currentLeaderEpoch: number
        readonly timestamp: bigint
      }>,
    ],
    { readonly topics: ByTopic<{ readonly partitionIndex: number; readonly offset: bigint }> }
  >
  readonly deleteGroupsV2: Api<[groups: readonly string[]], unknown>
  readonly listGroupsV4: Api<
    [states: readonly string[]],
    { readonly groups: readonly { readonly groupId: string; readonly protocolType: string }[] }
  >
  readonly describeGroupsV5: Api<
    [groups: readonly string[], rights: boolean],
    { readonly groups: readonly { readonly groupId: string; readonly members: readonly unknown[] }[] }
  >
  readonly describeConfigsV4: Api<
    [
      resources: readonly {
        readonly resourceType: number
        readonly resourceName: string
        readonly configurationKeys: null
      }[],
      synonyms: boolean,
      documentation: boolean,
    ],
    {
      readonly results: readonly {
        readonly configs: readonly { readonly name: string; readonly value: string | null }[]
      }[]
    }
  >
}

const APIS = [
  'metadataV12',
  'findCoordinatorV4',
  'initProducerIdV4',
  'joinGroupV7',
  'syncGroupV5',
  'heartbeatV4',
  'leaveGroupV4',
  'offsetCommitV8',
  'offsetFetchV8',
  'listOffsetsV7',
  'deleteGroupsV2',
  'listGroupsV4',
  'describeGroupsV5',
  'describeConfigsV4',
] as const

/** What a package says of itself. */
export interface Manifest {
  readonly version: string
  readonly engines?: { readonly node?: string }
}

export interface LoadOptions {
  /** Imports the library from wherever the application has it; its engines are the application's business then. */
  readonly importPackage?: ImportPackage | undefined
  /** Reads the package.json of the library. Throws when there is no such package. */
  readonly manifest?: () => Manifest
  /** The version of Node that runs. */
  readonly node?: string
}

/** Loads the library.
 *  Rejects: DriverLoadFailure when it is not installed, when this Node is none of its engines, and when it is built
 *  otherwise than what this driver was made for. */
export async function loadLibrary({
  importPackage,
  manifest = importPackage === undefined ? installedManifest : undefined,
  node = process.versions.node,
}: LoadOptions = {}): Promise<Library> {
  let found: unknown
  try {
    if (manifest !== undefined) checkEngines(manifest(), node)
    found = importPackage === undefined ? await import(NAME) : await importPackage(NAME)
  } catch (error) {
    if (error instanceof DriverLoadFailure) throw error
    throw failure(`client 'platformatic' needs the package ${NAME}: npm install ${NAME}@${lineFor(node)}`, error)
  }
  if (isLibrary(found)) return found
  throw failure(`This ${NAME} is not one that this driver was made for: npm install ${NAME}@${lineFor(node)}`)
}

/** Throws DriverLoadFailure. */
function checkEngines({ version, engines }: Manifest, node: string): void {
  const wanted = engines?.node ?? ''
  if (admits(wanted, node)) return
  throw failure(
    `${NAME} ${version} needs Node ${wanted} and this is ${node}: npm install ${NAME}@${lineFor(node)}, the newest line for this Node`,
  )
}

function failure(message: string, cause?: unknown): DriverLoadFailure {
  return new DriverLoadFailure('kafka', message, cause === undefined ? {} : { cause })
}

function installedManifest(): Manifest {
  const entry = createRequire(import.meta.url).resolve(NAME)
  return JSON.parse(readFileSync(join(dirname(entry), '..', 'package.json'), 'utf8')) as Manifest
}

/** Whether a range like `>= 20.19.4 || >= 22.18.0` holds a version. One in other words is left to the package
 *  itself. */
function admits(range: string, version: string): boolean {
  const least = range.split('||').map((part) => /^\s*>=\s*([\d.]+)\s*$/.exec(part)?.[1])
  return least.some((each) => each === undefined || isAtLeast(version, each))
}

function isAtLeast(version: string, least: string): boolean {
  const [ours, theirs] = [version, least].map((each) => each.split('.').map(Number))
  for (const [index, number] of (theirs ?? []).entries()) {
    const difference = (ours?.[index] ?? 0) - number
    if (difference !== 0) return difference > 0
  }
  return true
}

/** The newest line for a Node. */
function lineFor(node: string): string {
  return isAtLeast(node, '22.22.0') ? '2' : '1'
}

function isLibrary(found: unknown): found is Library {
  const names = (found ?? {}) as Readonly<Record<string, unknown>>
  const { Connection, Writer, protocolErrorsCodesById } = names as Partial<Library>
  return (
    typeof Connection === 'function' &&
    typeof Connection.prototype.send === 'function' &&
    typeof Connection.prototype.close === 'function' &&
    typeof Writer?.create === 'function' &&
    typeof protocolErrorsCodesById === 'object' &&
    APIS.every((name) => typeof (names[name] as Partial<Library[typeof name]> | undefined)?.api?.async === 'function')
  )
}
