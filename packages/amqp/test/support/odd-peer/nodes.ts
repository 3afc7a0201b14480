import type { OddLink } from './link.ts'
import { type PlainMessage, readMessage } from './message.ts'

/** A message some client has sent, as it came. */
export interface Received {
  /** False: the peer has refused it or handed it back. */
  readonly isTaken: boolean
  /** Of the link it came over. */
  readonly address: string
  readonly payload: Buffer
  readonly message: PlainMessage
  readonly settled: boolean
}

export interface Stored {
  readonly payload: Buffer
  readonly expiresAt: number
  /** Its place in the queue, which it gets back when it is handed back. */
  readonly place: number
}

const isTopic = (address: string): boolean => address.startsWith('broadcast.') || address.includes('/multicast/')

/** Queues, shared by their consumers; addresses that begin with `broadcast.` reach each of them. */
export class Nodes {
  readonly received: Received[] = []
  /** Outcomes of what was delivered: the address and what became of the message. */
  readonly outcomes: { readonly address: string; readonly type: string; readonly payload: Buffer }[] = []
  readonly #queues = new Map<string, Stored[]>()
  readonly #consumers = new Map<string, OddLink[]>()
  /** Addresses that keep nothing: what comes while their consumer has no credit is dropped, as a router does with
   *  settled ones. */
  readonly #volatile = new Set<string>()
  #places = 0

  /** Messages of an address that nobody has taken. */
  depth(address: string): number {
    return this.#queue(address).length
  }

  consumers(address: string): number {
    return this.#consumers.get(address)?.length ?? 0
  }

  /** What comes in; what is not taken goes nowhere. */
  take(address: string, payload: Buffer, settled: boolean, isTaken: boolean): void {
    const message = readMessage(payload)
    this.received.push({ isTaken, address, payload, message, settled })
    if (isTaken) this.put(address, payload, message.ttl)
  }

  put(address: string, payload: Buffer, ttl?: number): void {
    const expiresAt = ttl === undefined ? Infinity : performance.now() + ttl
    this.#places += 1
    const stored: Stored = { payload, expiresAt, place: this.#places }
    const consumers = this.#consumers.get(address) ?? []
    if (this.#volatile.has(address) && !consumers.some(({ hasRoom }) => hasRoom)) return
    for (const node of isTopic(address) ? consumers.map((link) => link.node) : [address]) {
      this.#queue(node).push(stored)
      this.pump(node)
    }
  }

  /** What was delivered and is not taken goes back to where it had been. */
  putBack(node: string, stored: Stored): void {
    const queue = this.#queue(node)
    const at = queue.findIndex(({ place }) => place > stored.place)
    queue.splice(at < 0 ? queue.length : at, 0, stored)
    this.pump(node)
  }

  keepNothing(address: string): void {
    this.#volatile.add(address)
  }

  join(link: OddLink): void {
    const address = link.address
    link.node = isTopic(address) ? `${address} ${link.name}` : address
    for (const name of new Set([address, link.node]))
      this.#consumers.set(name, [...(this.#consumers.get(name) ?? []), link])
  }

  leave(link: OddLink): void {
    for (const name of new Set([link.address, link.node]))
      this.#consumers.set(
        name,
        (this.#consumers.get(name) ?? []).filter((each) => each !== link),
      )
    for (const stored of link.takeBack()) this.putBack(link.node, stored)
  }

  pump(node: string): void {
    const queue = this.#queue(node)
    const consumers = this.#consumers.get(node) ?? []
    for (let tried = 0; queue.length > 0 && tried < consumers.length;) {
      const consumer = consumers.shift()
      if (consumer === undefined) return
      // Whoever had its turn is the last one next time.
      consumers.push(consumer)
      if (!consumer.hasRoom) {
        tried += 1
        continue
      }
      tried = 0
      const stored = queue.shift()
      if (stored !== undefined && stored.expiresAt > performance.now()) consumer.give(stored)
    }
  }

  #queue(node: string): Stored[] {
    const queue = this.#queues.get(node) ?? []
    this.#queues.set(node, queue)
    return queue
  }
}
