import { History } from '@oslo-messaging/conformance/history'
import { build, type Histogram } from 'hdr-histogram-js'
import type { SimulatedEvent } from './event.ts'

/** What happened in one second. */
export interface Second {
  readonly sent: number
  readonly resolved: number
  readonly rejected: number
  readonly handled: number
  /** Milliseconds; null when nothing was resolved. */
  readonly p50: number | null
  readonly p99: number | null
  readonly max: number | null
}

/** Percentiles of all latencies, milliseconds. */
export interface Latency {
  readonly count: number
  readonly mean: number
  readonly p50: number
  readonly p90: number
  readonly p99: number
  readonly p999: number
  readonly max: number
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] }

const HIGHEST_US = 3_600_000_000
const newHistogram = (): Histogram =>
  build({
    lowestDiscernibleValue: 1,
    highestTrackableValue: HIGHEST_US,
    numberOfSignificantValueDigits: 3,
    useWebAssembly: false,
  })

/** Remembers what becomes of each message, and measures. Events are taken in the order of their times. */
export class Recorder {
  readonly history: History = new History()
  readonly rejections: Map<string, number> = new Map<string, number>()
  /** When each message was sent and resolved, on the clock of the run; for the time to recovery. */
  readonly resolvedAt: { readonly sentAt: number; readonly at: number }[] = []
  readonly #seconds: Mutable<Second>[] = []
  readonly #all = newHistogram()
  readonly #current = newHistogram()
  readonly #handled: number[] = []
  readonly #sentAt = new Map<number, number>()
  #second = 0

  take(event: SimulatedEvent): void {
    const { at, message } = event
    this.history.record(event)
    switch (event.kind) {
      case 'sent':
        this.#sentAt.set(message, at)
        this.#inSecond(at).sent += 1
        break
      case 'resolved':
        this.#resolved(message, at)
        break
      case 'rejected':
        this.#sentAt.delete(message)
        this.rejections.set(event.name, (this.rejections.get(event.name) ?? 0) + 1)
        this.#inSecond(at).rejected += 1
        break
      case 'handled':
        this.#handled[message] = (this.#handled[message] ?? 0) + 1
        this.#inSecond(at).handled += 1
        break
      default:
    }
  }

  /** How often a message was handled beyond the first time, all together. */
  get doubled(): number {
    return this.#handled.reduce((sum, times) => sum + Math.max(0, times - 1), 0)
  }

  get seconds(): readonly Second[] {
    this.#close()
    return this.#seconds
  }

  get latency(): Latency {
    const ms = (percentile: number): number => this.#all.getValueAtPercentile(percentile) / 1000
    const { totalCount: count } = this.#all
    if (count === 0) return { count, mean: 0, p50: 0, p90: 0, p99: 0, p999: 0, max: 0 }
    return {
      count,
      mean: this.#all.mean / 1000,
      p50: ms(50),
      p90: ms(90),
      p99: ms(99),
      p999: ms(99.9),
      max: this.#all.maxValue / 1000,
    }
  }

  /** Latency in milliseconds at each percentile of a list, for a curve. */
  at(percentiles: readonly number[]): readonly number[] {
    return percentiles.map((each) => this.#all.getValueAtPercentile(each) / 1000)
  }

  #resolved(message: number, at: number): void {
    const sentAt = this.#sentAt.get(message) ?? at
    this.#sentAt.delete(message)
    this.resolvedAt.push({ sentAt, at })
    this.#inSecond(at).resolved += 1
    const us = Math.max(1, Math.round((at - sentAt) * 1000))
    this.#all.recordValue(us)
    this.#current.recordValue(us)
  }

  #inSecond(at: number): Mutable<Second> {
    const second = Math.max(this.#second, Math.floor(at / 1000))
    if (second > this.#second) {
      this.#close()
      this.#current.reset()
      this.#second = second
    }
    while (this.#seconds.length <= second)
      this.#seconds.push({ sent: 0, resolved: 0, rejected: 0, handled: 0, p50: null, p99: null, max: null })
    const current = this.#seconds[second]
    if (current === undefined) throw new RangeError('The second that was just made is missing')
    return current
  }

  #close(): void {
    const second = this.#seconds[this.#second]
    if (second === undefined || this.#current.totalCount === 0) return
    second.p50 = this.#current.getValueAtPercentile(50) / 1000
    second.p99 = this.#current.getValueAtPercentile(99) / 1000
    second.max = this.#current.maxValue / 1000
  }
}
