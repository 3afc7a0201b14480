import type { RPCClient } from '@oslo-messaging/core'
import type { Stock } from './stock.ts'
import { until } from './until.ts'

/** Clients that know nothing of what goes on: each calls, waits for the answer, and calls again. */
export class Callers {
  readonly #loops: readonly Promise<void>[]
  readonly #answers = new Map<string, number>()
  #stopped = false
  /** Every error that a call has ended with. */
  readonly failures: unknown[] = []

  constructor(client: RPCClient<Stock>, count: number) {
    this.#loops = Array.from({ length: count }, () => this.#loop(client))
  }

  get answered(): number {
    return [...this.#answers.values()].reduce((sum, each) => sum + each, 0)
  }

  /** Resolves when each of these has answered so many calls more. */
  async reach(servers: readonly string[], count: number): Promise<void> {
    const wanted = servers.map((name) => this.#of(name) + count)
    await until(() => servers.every((name, index) => this.#of(name) >= (wanted[index] ?? 0)), 60_000)
  }

  /** Who answers within the next so many calls. */
  async whoAnswers(count: number): Promise<readonly string[]> {
    const [before, wanted] = [new Map(this.#answers), this.answered + count]
    await until(() => this.answered >= wanted, 60_000)
    return [...this.#answers.keys()].filter((name) => this.#of(name) > (before.get(name) ?? 0))
  }

  /** Resolves when the last calls have ended. */
  async stop(): Promise<void> {
    this.#stopped = true
    await Promise.all(this.#loops)
  }

  #of(server: string): number {
    return this.#answers.get(server) ?? 0
  }

  async #loop(client: RPCClient<Stock>): Promise<void> {
    while (!this.#stopped) {
      try {
        const { by } = await client.call({}, 'reserve', { item: 'bolt', count: 1 }, { timeoutMs: 20_000 })
        this.#answers.set(by, this.#of(by) + 1)
      } catch (error) {
        this.failures.push(error)
      }
    }
  }
}
