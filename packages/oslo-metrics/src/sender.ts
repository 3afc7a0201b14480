import type { Logger } from '@oslo-messaging/core'
import { DgramSocket } from 'node-unix-socket'
import type { Metric } from './metric.ts'

/** Where metrics go, and how many may wait. */
export interface MetricSenderOptions {
  /** Unix datagram socket of the collector. */
  readonly path: string
  /** Most metrics that wait; further ones are dropped with a warning. */
  readonly bufferSize: number
  /** Milliseconds without success after which it gives up until the next metric. */
  readonly giveUpMs: number
  readonly logger: Pick<Logger, 'warn' | 'error'>
  /** Pause after a failure, milliseconds. Default 1000. */
  readonly retryMs?: number
}

/** Sends metrics one after the other, in their order; a collector that is away gets them when it is back. Never holds
 *  up a call, nor the end of the process. */
export class MetricSender {
  readonly #options: MetricSenderOptions
  readonly #waiting: Metric[] = []
  readonly #closing = new AbortController()
  #sending: Promise<void> | undefined
  #isFull = false

  constructor(options: MetricSenderOptions) {
    this.#options = options
  }

  /** Metrics that were not sent yet. */
  get waiting(): number {
    return this.#waiting.length
  }

  add(metric: Metric): void {
    const { bufferSize, logger } = this.#options
    if (this.#waiting.length >= bufferSize) {
      if (!this.#isFull) logger.warn(`${bufferSize} metrics wait for the collector: further ones are dropped`)
      this.#isFull = true
      return
    }
    this.#isFull = false
    this.#waiting.push(metric)
    this.#sending ??= this.#run().finally(() => (this.#sending = undefined))
  }

  /** Sends what waits if the collector takes it now, and ends. */
  async close(): Promise<void> {
    this.#closing.abort()
    await this.#sending
  }

  async #run(): Promise<void> {
    const { path, giveUpMs, retryMs = 1000, logger } = this.#options
    const { signal } = this.#closing
    let giveUpAt = performance.now() + giveUpMs
    while (this.#waiting.length > 0) {
      try {
        await this.#sendAll(() => (giveUpAt = performance.now() + giveUpMs))
      } catch (error) {
        if (signal.aborted) return
        const text = error instanceof Error ? error.message : String(error)
        const isOver = performance.now() >= giveUpAt
        const next = isOver ? 'with the next metric' : `in ${retryMs} ms`
        logger.error(`Metrics cannot be sent to ${path}: ${text}. It is tried again ${next}`, { error })
        if (isOver) return
        await pause(retryMs, signal)
      }
    }
  }

  /** Over a socket of its own, because an open one keeps the process. */
  async #sendAll(onSent: () => void): Promise<void> {
    const { path, logger } = this.#options
    const socket = new DgramSocket()
    // What goes wrong with it is what the sending says.
    socket.on('error', (error: Error) => logger.error(`The socket for metrics failed: ${error.message}`, { error }))
    try {
      for (let metric = this.#waiting[0]; metric !== undefined; metric = this.#waiting[0]) {
        await send(socket, path, metric)
        this.#waiting.shift()
        onSent()
      }
    } finally {
      socket.close()
    }
  }
}

function send(socket: DgramSocket, path: string, metric: Metric): Promise<void> {
  const bytes = Buffer.from(JSON.stringify(metric))
  return new Promise((resolve, reject) => {
    socket.sendTo(bytes, 0, bytes.length, path, (error) => (error === undefined ? resolve() : reject(error)))
  })
}

/** Does not keep the process. */
function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms)
    timer.unref()
    signal.addEventListener(
      'abort',
      () => {
        clearTimeout(timer)
        resolve()
      },
      { once: true },
    )
  })
}
