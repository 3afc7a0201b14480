import { randomUUID } from 'node:crypto'

import type { SharedRabbit } from '@oslo-messaging/brokers'
import type { ConfigOverrides, NotificationTransport, RPCTransport } from '@oslo-messaging/core'

import { type Vector, vectorOptions } from '../../../packages/rabbit/test/support/vectors.ts'
import { openBus, openRpc } from '../../test/support/ours.ts'
import { CustomError, KwError } from '../endpoint.ts'
import { Hand } from './hand.ts'
import { type RecordedFrame, RecordingProxy } from './recording-proxy.ts'

/** The modules the captures were made with; a list could not rebuild anything here. */
const ALLOWED = { 'demo.errors': { CustomError, KwError } }

/** A virtual host of its own, one recorded way into it for each side, and a third that is not ours. */
export class Room implements AsyncDisposable {
  readonly vhost: string
  readonly client: RecordingProxy
  readonly server: RecordingProxy
  readonly #rabbit: SharedRabbit
  readonly #overrides: ConfigOverrides
  readonly #closing: (() => Promise<unknown>)[] = []
  readonly #marks = { client: 0, server: 0 }

  private constructor(rabbit: SharedRabbit, vhost: string, proxies: readonly RecordingProxy[], vector: Vector) {
    const [client, server] = proxies
    if (client === undefined || server === undefined) throw new Error('two proxies are needed')
    this.#rabbit = rabbit
    this.vhost = vhost
    this.client = client
    this.server = server
    this.#overrides = { oslo_messaging_rabbit: vectorOptions(vector) }
  }

  static async open(rabbit: SharedRabbit, vector: Vector): Promise<Room> {
    const vhost = `golden-${randomUUID().slice(0, 8)}`
    await rabbit.vhost(vhost)
    const [broker] = rabbit.hosts
    if (broker === undefined) throw new Error('the broker has no address')
    return new Room(rabbit, vhost, [await RecordingProxy.open(broker), await RecordingProxy.open(broker)], vector)
  }

  async rpc(side: 'client' | 'server'): Promise<RPCTransport> {
    const transport = await openRpc(this.urlOf(side), ALLOWED, this.#overrides)
    return this.closeLater(transport)
  }

  async bus(side: 'client' | 'server'): Promise<NotificationTransport> {
    return this.closeLater(await openBus(this.urlOf(side), this.#overrides))
  }

  /** Somebody else on the same virtual host: plain amqplib. */
  async hand(): Promise<Hand> {
    const hand = await Hand.connect(this.#rabbit.urlFor({ vhost: this.vhost }))
    this.#closing.push(() => hand.close())
    return hand
  }

  closeLater<T extends { close(): Promise<unknown> }>(thing: T): T {
    this.#closing.push(() => thing.close())
    return thing
  }

  urlOf(side: 'client' | 'server'): string {
    return this.#rabbit.urlFor({ vhost: this.vhost, via: [{ host: '127.0.0.1', port: this[side].port }] })
  }

  /** Frames of a side that came before this are forgotten. */
  mark(side: 'client' | 'server'): void {
    this.#marks[side] = this[side].frames.length
  }

  frames(side: 'client' | 'server'): readonly RecordedFrame[] {
    return this[side].frames.slice(this.#marks[side])
  }

  /** Closes everything that was opened, the last first. */
  async closeAll(): Promise<void> {
    for (const close of this.#closing.splice(0).toReversed()) await close()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.closeAll()
    await Promise.all([this.client[Symbol.asyncDispose](), this.server[Symbol.asyncDispose]()])
    await this.#rabbit.control.deleteVhost(this.vhost)
  }
}
