import type { Cluster, Kafka } from 'kafkajs'
import { isFunction, shaped } from './internals.ts'

/** What a request is made of; each kind has other fields. */
export type RequestFields = Readonly<Record<string, unknown>>

/** A request as kafkajs makes it: encoded when it is sent, its answer decoded and then checked. */
export interface MadeRequest {
  readonly request: { readonly apiVersion: number; readonly encode: () => Promise<object> }
  readonly response: {
    readonly decode: (data: Buffer) => Promise<unknown>
    readonly parse: (answer: unknown) => Promise<unknown>
  }
}

export type MakeRequest = (fields: RequestFields) => MadeRequest
export type RequestPatch = (make: MakeRequest) => MakeRequest

/** What kafkajs's cluster can do and its types do not say. */
export interface PatchedCluster extends Cluster {
  readonly targetTopics: Set<string>
  readonly brokerPool: BrokerPool
}

interface BrokerPool {
  metadataExpireAt: number | null
  createBroker: (options: object) => Broker
  refreshMetadata: (topics: readonly string[]) => Promise<unknown>
}

/** What kafkajs's brokers are made of. */
export interface Broker {
  lookupRequest: RequestLookup
}

type RequestLookup = (key: number, definition: unknown) => MakeRequest

/** Keys of the requests that are patched. Source: Kafka protocol guide. */
export const API_KEYS = { produce: 0, fetch: 1, metadata: 3, joinGroup: 11, heartbeat: 12, syncGroup: 14 } as const

/** The place from which everything inside one kafkajs client is changed: its cluster, and the requests its brokers
 *  make. It belongs to the client it was made for; other users of kafkajs in the process keep theirs as it is. */
export class ClientPatches {
  readonly #requests = new Map<number, RequestPatch>()
  readonly #clusterPatches: ((cluster: PatchedCluster) => void)[] = []
  readonly #brokerPatches: ((broker: Broker) => void)[] = []

  /** Throws: DriverLoadFailure when this kafkajs is built otherwise. */
  constructor(kafka: Kafka) {
    const holder = kafka as object as Record<symbol, unknown>
    const [symbol] = Object.getOwnPropertySymbols(kafka).filter(
      ({ description }) => description === 'private:Kafka:createCluster',
    )
    const key = shaped(symbol, isSymbol, 'what makes a cluster')
    const create = shaped(holder[key], isFunction, 'what makes a cluster') as (options: object) => unknown
    holder[key] = (options: object): PatchedCluster => {
      const cluster = shaped(create(options), isCluster, 'a cluster')
      this.#patch(cluster)
      return cluster
    }
  }

  /** `patch` gets what makes requests of that kind, and returns what makes them from now on. A later one is over
   *  those before it. */
  request(key: number, patch: RequestPatch): void {
    const before = this.#requests.get(key)
    this.#requests.set(key, before === undefined ? patch : (make) => patch(before(make)))
  }

  /** Called with each cluster the client makes, before it is used. */
  onCluster(patch: (cluster: PatchedCluster) => void): void {
    this.#clusterPatches.push(patch)
  }

  /** Called with each broker the client makes, before it is connected. */
  onBroker(patch: (broker: Broker) => void): void {
    this.#brokerPatches.push(patch)
  }

  #patch(cluster: PatchedCluster): void {
    const { brokerPool } = cluster
    const create = brokerPool.createBroker.bind(brokerPool)
    brokerPool.createBroker = (options) => {
      const broker = create(options)
      let lookup = this.#over(shaped(broker.lookupRequest, isFunction, 'a broker') as RequestLookup)
      // Each connection of a broker sets it anew, for the versions both sides know.
      Object.defineProperty(broker, 'lookupRequest', {
        get: () => lookup,
        set: (fresh: RequestLookup) => {
          lookup = this.#over(fresh)
        },
      })
      for (const patch of this.#brokerPatches) patch(broker)
      return broker
    }
    for (const patch of this.#clusterPatches) patch(cluster)
  }

  #over(lookup: RequestLookup): RequestLookup {
    return (key, definition) => {
      const make = lookup(key, definition)
      return this.#requests.get(key)?.(make) ?? make
    }
  }
}

function isSymbol(found: unknown): found is symbol {
  return typeof found === 'symbol'
}

function isCluster(found: unknown): found is PatchedCluster {
  const { targetTopics, brokerPool, fetchTopicsOffset } = (found ?? {}) as Partial<PatchedCluster>
  return (
    targetTopics instanceof Set &&
    isFunction(fetchTopicsOffset) &&
    isFunction(brokerPool?.createBroker) &&
    isFunction(brokerPool.refreshMetadata) &&
    'metadataExpireAt' in brokerPool
  )
}
