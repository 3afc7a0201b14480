import {
  type Broker,
  type BrokerName,
  type BrokerNode,
  type BrokerSource,
  formatUrl,
  type HostPort,
  type UrlOptions,
  type UrlShape,
} from './broker.ts'
import { FaultProxy } from '@oslo-messaging/conformance/faults'

export interface LocalBrokerParts {
  readonly name: BrokerName
  readonly version: string
  readonly source: BrokerSource
  readonly nodes: readonly BrokerNode[]
  readonly url: UrlShape
  /** Ends what belongs to the broker besides its nodes, then removes its data. */
  readonly dispose: () => Promise<void>
  /** The quick way, where there is one. Default: stop and start. */
  readonly restart?: () => Promise<void>
  /** A proxy in front of a node. Default: any free port that leads to the node's port. */
  readonly openProxy?: (node: number) => Promise<FaultProxy>
}

/** The levers that all brokers share, over nodes that may be processes or containers. */
export class LocalBroker implements Broker {
  readonly name: BrokerName
  readonly version: string
  readonly source: BrokerSource
  readonly nodes: readonly BrokerNode[]
  readonly hosts: readonly HostPort[]
  readonly ports: readonly number[]
  readonly url: string
  readonly #parts: LocalBrokerParts
  readonly #proxies = new Set<FaultProxy>()
  #closing: Promise<void> | undefined

  constructor(parts: LocalBrokerParts) {
    this.#parts = parts
    this.name = parts.name
    this.version = parts.version
    this.source = parts.source
    this.nodes = parts.nodes
    this.hosts = parts.nodes.map(({ host, port }) => ({ host, port }))
    this.ports = parts.nodes.map(({ port }) => port)
    this.url = this.urlFor()
  }

  get pids(): readonly number[] {
    return this.nodes.flatMap(({ pid }) => (pid === undefined ? [] : [pid]))
  }

  urlFor(options: UrlOptions = {}): string {
    return formatUrl(this.#parts.url, this.hosts, options)
  }

  async start(): Promise<void> {
    await this.#all((node) => node.start())
  }

  async stop(): Promise<void> {
    await this.#all((node) => node.stop())
  }

  async restart(): Promise<void> {
    if (this.#parts.restart !== undefined) return this.#parts.restart()
    await this.stop()
    await this.start()
  }

  async kill(): Promise<void> {
    await this.#all((node) => node.kill())
  }

  async freeze(): Promise<void> {
    await this.#all((node) => node.freeze())
  }

  async thaw(): Promise<void> {
    await this.#all((node) => node.thaw())
  }

  async proxy(node = 0): Promise<FaultProxy> {
    const target = this.hosts[node]
    if (target === undefined) throw new RangeError(`${this.name} has no node ${node}: it has ${this.hosts.length}`)
    const proxy = await (this.#parts.openProxy?.(node) ??
      FaultProxy.open(target, { urlFor: (at) => this.urlFor({ via: [at] }) }))
    this.#proxies.add(proxy)
    return proxy
  }

  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close(): Promise<void> {
    await Promise.all([...this.#proxies].map((proxy) => proxy.close()))
    // Nothing of the data is kept, so there is no reason to wait for an orderly stop.
    await this.kill()
    await this.#parts.dispose()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  async #all(act: (node: BrokerNode) => Promise<void>): Promise<void> {
    await Promise.all(this.nodes.map((node) => act(node)))
  }
}
