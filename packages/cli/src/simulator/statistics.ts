import { nowSeconds, type SimulatorMessage } from './message.ts'

/** One second of a side; latencies in seconds. */
export interface Point {
  readonly seq: number
  readonly timestamp: number
  readonly count: number
  readonly size: number
  readonly latency?: number
  readonly min_latency?: number
  readonly max_latency?: number
}

/** All seconds of a side together. */
export interface Summary extends Omit<Point, 'seq' | 'timestamp'> {
  readonly duration: number
  readonly count_p_s: number
  readonly size_p_s: number
  readonly start?: number
  readonly end?: number
}

/** Counts the messages of each second: their number, their characters, and how long they took: there and back where
 *  they came back, otherwise to the server. */
export class MessageCounter {
  readonly series: Point[] = []
  #buffer: SimulatorMessage[] = []

  add(message: SimulatorMessage): void {
    this.#buffer.push(message)
  }

  get total(): number {
    return this.series.reduce((sum, { count }) => sum + count, this.#buffer.length)
  }

  /** Closes a second. */
  tick(): Point {
    const messages = this.#buffer
    this.#buffer = []
    const latencies = messages.flatMap(({ client_ts: from, server_ts: there, return_ts: back }) =>
      back > 0 ? [back - from] : there > 0 ? [there - from] : [],
    )
    const sum = latencies.reduce((total, each) => total + each, 0)
    const point: Point = {
      seq: this.series.length,
      timestamp: nowSeconds(),
      count: messages.length,
      size: messages.reduce((total, { cargo }) => total + cargo.length, 0),
      ...(sum > 0
        ? {
            latency: sum / messages.length,
            min_latency: latencies.reduce((least, each) => Math.min(least, each), Infinity),
            max_latency: latencies.reduce((most, each) => Math.max(most, each), 0),
          }
        : {}),
    }
    this.series.push(point)
    return point
  }
}

/** Sums up; seconds in which nothing came do not count. */
export function summarize(...counters: readonly MessageCounter[]): Summary {
  const points = counters.flatMap(({ series }) => series).filter(({ count }) => count > 0)
  const count = points.reduce((sum, point) => sum + point.count, 0)
  const size = points.reduce((sum, point) => sum + point.size, 0)
  if (count === 0) return { count, size, duration: 0, count_p_s: 0, size_p_s: 0 }
  // A point has what came in the second before it.
  const start = Math.min(...points.map(({ timestamp }) => timestamp)) - 1
  const end = Math.max(...points.map(({ timestamp }) => timestamp))
  const duration = end - start
  const timed = points.filter((point) => point.latency !== undefined)
  const latencies =
    timed.length === 0
      ? {}
      : {
          latency: timed.reduce((sum, point) => sum + (point.latency ?? 0) * point.count, 0) / count,
          min_latency: Math.min(...timed.map(({ min_latency: least = Infinity }) => least)),
          max_latency: Math.max(...timed.map(({ max_latency: most = 0 }) => most)),
        }
  return { count, size, duration, count_p_s: count / duration, size_p_s: size / duration, start, end, ...latencies }
}

/** One second, on a line. */
export function pointText(label: string, point: Point): string {
  const { seq, count, size, latency, min_latency: least, max_latency: most } = point
  const times =
    latency === undefined ? '' : ` latency: ${seconds(latency)} min: ${seconds(least ?? 0)} max: ${seconds(most ?? 0)}`
  return `${label.padEnd(10)} seq: ${String(seq).padEnd(4)} count: ${String(count).padEnd(6)} bytes: ${String(size).padEnd(9)}${times}`.trimEnd()
}

/** All of it, on a line. */
export function summaryText(label: string, summary: Summary): string {
  const {
    count,
    size,
    duration,
    count_p_s: rate,
    size_p_s: bytes,
    latency,
    min_latency: least,
    max_latency: most,
  } = summary
  const times =
    latency === undefined ? '' : `, latency: ${seconds(latency)} min: ${seconds(least ?? 0)} max: ${seconds(most ?? 0)}`
  return `${label}: duration: ${duration.toFixed(2)} count: ${count} (${rate.toFixed(1)} msg/sec) bytes: ${size} (${bytes.toFixed(0)} bps)${times}`
}

const seconds = (value: number): string => value.toFixed(3)
