import type { Driver } from '@oslo-messaging/core/driver'
import { type Address, readAll, withAdmin } from './broker.ts'
import { until } from './cluster.ts'
import { eventually, type Received, send } from './open-driver.ts'

export interface LoadOptions {
  readonly callers: number
  /** Notifications in all; without it the load goes on until `stop`. */
  readonly total?: number
  /** Deadline of the n-th. Default 60 s. */
  readonly timeoutMs?: (n: number) => number
  /** Notifications a second at most, all callers together. Default: as fast as the broker takes them. */
  readonly perSec?: number
  /** What the n-th carries. Default: n. */
  readonly payload?: (n: number) => unknown
}

/** Callers who send numbered notifications, each the next one when its last is settled. */
export class Load {
  readonly resolved = new Set<number>()
  readonly rejected = new Map<number, unknown>()
  /** All callers have ended. */
  readonly done: Promise<void>
  readonly #options: LoadOptions
  #next = 0
  #stopped = false

  constructor(driver: Driver, topic: string, options: LoadOptions) {
    this.#options = options
    const startedAt = performance.now()
    this.done = Promise.all(
      Array.from({ length: options.callers }, async () => {
        for (let n = this.#take(); n !== undefined; n = this.#take()) {
          await this.#send(driver, topic, n)
          await this.#pace(startedAt)
        }
      }),
    ).then(() => {})
  }

  /** Numbers given out so far. */
  get sent(): number {
    return this.#next
  }

  async stop(): Promise<void> {
    this.#stopped = true
    await this.done
  }

  /** Waits until so many have been stored. */
  async until(count: number, timeoutMs = 60_000): Promise<void> {
    await eventually(() => this.resolved.size >= count, `${count} stored notifications`, timeoutMs)
  }

  #take(): number | undefined {
    if (this.#stopped || this.#next === this.#options.total) return undefined
    return this.#next++
  }

  async #send(driver: Driver, topic: string, n: number): Promise<void> {
    const { payload = (value: number) => value } = this.#options
    const timeoutMs = this.#options.timeoutMs?.(n) ?? 60_000
    try {
      await send(driver, topic, payload(n), { timeoutMs })
      this.resolved.add(n)
    } catch (error) {
      this.rejected.set(n, error)
    }
  }

  async #pace(startedAt: number): Promise<void> {
    const { perSec } = this.#options
    if (perSec === undefined) return
    const aheadMs = (this.#next * 1000) / perSec - (performance.now() - startedAt)
    if (aheadMs > 0) await new Promise((resolve) => setTimeout(resolve, aheadMs))
  }
}

/** How often each value occurs more than once, summed. */
export function duplicates(values: readonly unknown[]): number {
  return values.length - new Set(values).size
}

/** Resolves when the listener has received everything of the load that was stored. */
export async function allReceived(load: Load, received: readonly Received[], timeoutMs = 60_000): Promise<void> {
  const missing = (): number => {
    const got = new Set(received.flatMap(({ payloads }) => payloads))
    return [...load.resolved].filter((n) => !got.has(n)).length
  }
  const deadline = Date.now() + timeoutMs
  while (missing() > 0) {
    if (Date.now() > deadline) throw new Error(`${missing()} of ${load.resolved.size} stored notifications never came`)
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}

/** The payloads of everything a topic holds, as another program reads it. */
export async function storedIn(broker: Address, topic: string): Promise<readonly unknown[]> {
  const offsets = await until(
    async () => await withAdmin(broker, async (admin) => await admin.fetchTopicOffsets(topic)),
    `answer about the partitions of ${topic}`,
  )
  const count = offsets.reduce((sum, { low, high }) => sum + Number(high) - Number(low), 0)
  if (count === 0) return []
  return (await readAll(broker, topic, count)).map((value) => {
    const envelope = JSON.parse(value) as Record<string, string>
    return (JSON.parse(envelope['oslo.message'] ?? '') as { payload: unknown }).payload
  })
}

/** How the rejected ones were rejected, for people: code, phase and delivery with their number. */
export function outcomes(load: Load): string {
  const kinds: Record<string, number> = {}
  for (const error of load.rejected.values()) {
    const { code = '?', phase = '?', delivery = '?' } = error as { code?: string; phase?: string; delivery?: string }
    const kind = `${code}/${phase}/${delivery}`
    kinds[kind] = (kinds[kind] ?? 0) + 1
  }
  return JSON.stringify(kinds)
}
