import { EventEmitter } from 'node:events'
import { describe, expect, it, vi } from 'vitest'
import { Cluster } from '../../src/platformatic/cluster.ts'
import { type Library, loadLibrary } from '../../src/platformatic/library.ts'

class Socket extends EventEmitter {
  isDestroyed = false
  setKeepAlive(): void {}
  destroy(): void {
    this.isDestroyed = true
    this.emit('close')
  }
}

/** A connection of the library: it has a timer for its next login, which only `close` ends. */
class Connection extends EventEmitter {
  static readonly made: Connection[] = []
  static isStuck = false
  readonly socket = new Socket()
  closes = 0
  #giveUp = (): void => {}

  constructor() {
    super()
    Connection.made.push(this)
    this.socket.once('close', () => this.emit('close'))
  }

  async connect(): Promise<void> {
    if (Connection.isStuck)
      await new Promise<void>((_resolve, reject) => {
        this.#giveUp = () => reject(new Error('closed'))
      })
  }

  async close(): Promise<void> {
    this.closes += 1
    this.#giveUp()
    await Promise.resolve()
  }

  send(): void {}
}

const answer = { brokers: [{ nodeId: 1, host: 'localhost', port: 9092 }], topics: [] }

async function fakeLibrary(): Promise<Library> {
  Connection.made.length = 0
  Connection.isStuck = false
  const async = async (): Promise<unknown> => await Promise.resolve(answer)
  const known: Record<string, unknown> = { Connection, Writer: { create: vi.fn() }, protocolErrorsCodesById: {} }
  const found = new Proxy(known, { get: (target, name) => target[String(name)] ?? { api: { async } } })
  return await loadLibrary({ importPackage: async () => await Promise.resolve(found) })
}

const settings = { brokers: ['localhost:9092'], clientId: 'c', tls: null, renewTls: () => null, sasl: null }

describe('the connections of client platformatic', () => {
  it('an answer that is read when its time is up - the connection stays for everybody else', async () => {
    const cluster = new Cluster(await fakeLibrary(), settings)
    await cluster.connect()
    const patienceMs = 20
    // The process stands still for longer than that: time is up, and in the same turn the answer is there.
    const late = async (): Promise<string> => {
      const answered = new Promise<string>((resolve) => setTimeout(() => resolve('late'), patienceMs))
      const goesOnAt = performance.now() + 2 * patienceMs
      for (let now = 0; now < goesOnAt;) now = performance.now()
      return await answered
    }
    expect(await cluster.ask(1, 'control', late, patienceMs)).toBe('late')
    await new Promise((resolve) => setImmediate(resolve))
    expect(Connection.made.map(({ socket }) => socket.isDestroyed)).toEqual([false])
    cluster.close()
  })

  it('one that ends leaves no timer of the library behind, whoever ended it', async () => {
    const cluster = new Cluster(await fakeLibrary(), settings)
    await cluster.connect()
    Connection.made[0]?.socket.destroy()
    expect(Connection.made[0]?.closes).toBeGreaterThan(0)
    await cluster.connect()
    cluster.close()
    expect(Connection.made).toHaveLength(2)
    expect(Connection.made[1]?.closes).toBeGreaterThan(0)
  })

  it('one that is being made when the client is closed is given up at once', async () => {
    const cluster = new Cluster(await fakeLibrary(), settings)
    Connection.isStuck = true
    const connecting = cluster.connect()
    await vi.waitFor(() => expect(Connection.made).toHaveLength(1))
    cluster.close()
    await expect(connecting).rejects.toMatchObject({ type: 'Closed' })
  })
})
