import type { AdminPort, KafkaClient, PartitionOffset } from '../port/client-port.ts'
import { askPositions, type Positions } from './start-positions.ts'

/** Asks the broker about a group's positions, on connections that stay open: a listener asks every few seconds. */
export class GroupInquiry {
  readonly #client: KafkaClient
  readonly #group: string
  readonly #topics: readonly string[]
  #admin: Promise<AdminPort> | undefined
  #closed = false

  constructor(client: KafkaClient, group: string, topics: readonly string[]) {
    this.#client = client
    this.#group = group
    this.#topics = topics
  }

  /** Rejects with ClientFault when a second try on new connections fails, too. */
  async positions(): Promise<Positions> {
    return await this.#ask(async (admin) => await askPositions(admin, this.#group, this.#topics))
  }

  /** As AdminPort.offsetsAt, for several topics. */
  async offsetsAt(topics: readonly string[], timestamp: number): Promise<readonly PartitionOffset[]> {
    return await this.#ask(async (admin) => {
      return (await Promise.all(topics.map(async (topic) => await admin.offsetsAt(topic, timestamp)))).flat()
    })
  }

  async close(): Promise<void> {
    this.#closed = true
    await this.#drop(this.#admin)
  }

  async #ask<T>(question: (admin: AdminPort) => Promise<T>): Promise<T> {
    const kept = this.#admin
    if (kept !== undefined) {
      try {
        return await question(await kept)
      } catch {
        // What was kept may have ended while nothing was asked: its broker has restarted, or cuts what is idle.
        await this.#drop(kept)
      }
    }
    const fresh = this.#open()
    try {
      return await question(await fresh)
    } catch (error) {
      await this.#drop(fresh)
      throw error
    } finally {
      if (this.#closed) await this.#drop(fresh)
    }
  }

  #open(): Promise<AdminPort> {
    const open = async (): Promise<AdminPort> => {
      const admin = this.#client.createAdmin()
      try {
        await admin.connect()
      } catch (error) {
        await admin.disconnect()
        throw error
      }
      return admin
    }
    this.#admin ??= open()
    return this.#admin
  }

  async #drop(kept: Promise<AdminPort> | undefined): Promise<void> {
    // Of several that find it ended, one takes it away.
    if (kept === undefined || this.#admin !== kept) return
    this.#admin = undefined
    const admin = await kept.catch(() => undefined)
    await admin?.disconnect()
  }
}
