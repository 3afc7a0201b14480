import { type ConfigOverrides, getRpcServer, type MessageServer, Target } from '@oslo-messaging/core'

import { startPeer, type Peer } from '../../../packages/amqp/test/support/peer.ts'
import { openTap, type Tap } from '../../../packages/amqp/test/support/tap.ts'
import type { TargetFacts, Vector } from '../../../packages/amqp/test/support/vectors.ts'
import { openBus, openRpc } from '../../test/support/ours.ts'
import { EP, SpacedEP } from '../endpoint.ts'

/** What the vectors hold besides what the package's own tests look at. */
export interface Api {
  readonly call: string
  readonly url?: string
  readonly target?: TargetFacts & { readonly namespace?: string; readonly version?: string }
  readonly targets?: readonly TargetFacts[]
  readonly server_target?: TargetFacts
  readonly client_options?: { readonly timeout?: number; readonly call_monitor_timeout?: number }
  readonly ctxt?: object
  readonly method?: string
  readonly args?: Readonly<Record<string, unknown>>
  readonly topics?: readonly string[]
  readonly driver?: string
  readonly publisher_id?: string
  readonly event_type?: string
  readonly payload?: unknown
  readonly endpoint_methods?: readonly string[]
}

export const apiOf = (vector: Vector): Api => vector.api

/** An in-process AMQP 1.0 peer made of rhea alone, and a recorded way to it for each side. */
export class Sides implements AsyncDisposable {
  readonly peer: Peer
  readonly client: Tap
  readonly server: Tap
  readonly #vector: Vector
  readonly #closing: (() => Promise<unknown>)[] = []

  private constructor(peer: Peer, client: Tap, server: Tap, vector: Vector) {
    this.peer = peer
    this.client = client
    this.server = server
    this.#vector = vector
  }

  static async open(vector: Vector): Promise<Sides> {
    const product = vector.id.includes('other-bus') ? { product: 'another-bus' } : {}
    const users = vector.id.includes('sasl') ? { users: { guest: 'guest' } } : {}
    const peer = await startPeer({ ...product, ...users })
    return new Sides(peer, await openTap(peer.port), await openTap(peer.port), vector)
  }

  urlOf(side: 'client' | 'server'): string {
    return (apiOf(this.#vector).url ?? 'amqp://127.0.0.1:<port>/').replace('<port>', String(this[side].port))
  }

  get overrides(): ConfigOverrides {
    const options = Object.entries(this.#vector.options).map(([name, value]) => [name.replace(/^.*\./, ''), value])
    // Python announces no idle timeout unless told; ours does.
    return { oslo_messaging_amqp: { idle_timeout: 0, ...Object.fromEntries(options) } }
  }

  async rpc(side: 'client' | 'server') {
    return this.closeLater(await openRpc(this.urlOf(side), {}, this.overrides))
  }

  async bus(side: 'client' | 'server') {
    return this.closeLater(await openBus(this.urlOf(side), this.overrides))
  }

  closeLater<T extends { close(): Promise<unknown> }>(thing: T): T {
    this.#closing.push(() => thing.close())
    return thing
  }

  /** Our server, as the captures had one. */
  async serve(): Promise<EP> {
    const { topic, server = 'node1', exchange = null } = apiOf(this.#vector).server_target ?? { topic: 'demo' }
    const endpoint = new EP()
    const transport = await this.rpc('server')
    await this.start(
      getRpcServer(transport, new Target({ topic, server, exchange }), [endpoint, new SpacedEP()], { workers: 50 }),
    )
    return endpoint
  }

  async start(server: MessageServer): Promise<void> {
    this.closeLater({ close: () => server.stop() })
    await server.start()
    // Credit follows the links in the next turn.
    await new Promise<void>((resolve) => setImmediate(resolve))
  }

  /** Closes what is ours, the last first: everything it sent has been read then. */
  async closeAll(): Promise<void> {
    for (const close of this.#closing.splice(0).toReversed()) await close()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.closeAll()
    await Promise.all([this.client.close(), this.server.close()])
    await this.peer.close()
  }
}
