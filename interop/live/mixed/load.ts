import type { LiveClient, SeenError } from '../side.ts'

/** Calls without a pause, from several clients, until it is stopped; who answered is counted. */
export class Load {
  /** `client` is the index of the one that called, `at` when it began, both for whoever looks for the reason. */
  readonly failures: { readonly error: SeenError; readonly client: number; readonly at: number }[] = []
  readonly #answeredBy = new Map<string, number>()
  readonly #loops: readonly Promise<void>[]
  readonly #counts: number[]
  #stopped = false

  constructor(clients: readonly LiveClient[], options: { readonly callers: number; readonly timeoutMs: number }) {
    this.#counts = clients.map(() => 0)
    this.#loops = clients.flatMap((client, index) =>
      Array.from({ length: options.callers }, () => this.#loop(client, index, options.timeoutMs)),
    )
  }

  /** Calls that were answered, in all. */
  get answered(): number {
    return this.#counts.reduce((sum, count) => sum + count, 0)
  }

  /** The same for each client. */
  get counts(): readonly number[] {
    return this.#counts
  }

  /** Calls that this server answered. */
  answeredBy(name: string): number {
    return this.#answeredBy.get(name) ?? 0
  }

  /** Resolves when every client has had so many answers more; rejects after `timeoutMs`. */
  async flows(count: number, timeoutMs: number): Promise<void> {
    const wanted = this.#counts.map((before) => before + count)
    const behind = (): boolean => this.#counts.some((now, index) => now < (wanted[index] ?? 0))
    await until(
      () => !behind(),
      timeoutMs,
      () => `Only ${this.#counts.join(', ')} of ${wanted.join(', ')} calls answered; ${this.report()}`,
    )
  }

  /** Resolves when these servers have answered so many more. */
  async reaches(servers: readonly string[], count: number, timeoutMs: number): Promise<void> {
    const wanted = servers.map((name) => this.answeredBy(name) + count)
    const late = (): string => `Answers: ${JSON.stringify([...this.#answeredBy])}; ${this.report()}`
    await until(() => servers.every((name, index) => this.answeredBy(name) >= (wanted[index] ?? 0)), timeoutMs, late)
  }

  /** Ends the loops; resolves when their last calls have settled. */
  async stop(): Promise<void> {
    this.#stopped = true
    await Promise.all(this.#loops)
  }

  report(): string {
    const kinds = new Map<string, number>()
    for (const { error } of this.failures) kinds.set(error.type, (kinds.get(error.type) ?? 0) + 1)
    return `${this.answered} answered, failed: ${JSON.stringify([...kinds])}`
  }

  async #loop(client: LiveClient, index: number, timeoutMs: number): Promise<void> {
    while (!this.#stopped) {
      const { value, error, ms } = await client.call('whoami', {}, { timeoutMs })
      if (error === undefined) {
        const name = String(value)
        this.#answeredBy.set(name, this.answeredBy(name) + 1)
        this.#counts[index] = (this.#counts[index] ?? 0) + 1
      } else {
        this.failures.push({ error, client: index, at: performance.now() - ms })
        // A broker that is away refuses at once.
        await new Promise((resolve) => setTimeout(resolve, 50))
      }
    }
  }
}

async function until(holds: () => boolean, timeoutMs: number, late: () => string): Promise<void> {
  const endsAt = performance.now() + timeoutMs
  while (!holds()) {
    if (performance.now() > endsAt) throw new Error(late())
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}
