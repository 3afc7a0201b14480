import { setTimeout as sleep } from 'node:timers/promises'
import type { Recorder } from '../frame/recorder.ts'

/** A stream of numbered messages to one place. */
export interface Source {
  readonly place: string
  /** Callers, each of which sends its next message when its last has ended. */
  readonly callers: number
  /** Messages a second of all callers together. */
  readonly perSec: number
  readonly timeoutMs: number
  /** Settles as the driver's promise does; what it resolves to is the number that a reply carried, where there is a
   *  reply. */
  readonly send: (message: number) => Promise<number | void>
}

/** A caller whose sends fail at once waits so long, or a refused topic would be asked ten thousand times a second. */
const AFTER_REJECTION_MS = 20

/** Callers who send numbered messages until they are told to end. */
export class Senders {
  readonly #recorder: Recorder
  readonly #sources: readonly Source[]
  readonly #rushing = new Set<string>()
  #ending = false
  #done: Promise<unknown> = Promise.resolve()

  constructor(recorder: Recorder, sources: readonly Source[]) {
    this.#recorder = recorder
    this.#sources = sources
  }

  begin(): void {
    this.#done = Promise.all(
      this.#sources.flatMap((source) => Array.from({ length: source.callers }, (_, key) => this.#call(source, key))),
    )
  }

  /** While it is on, callers of the place send as fast as they are answered. */
  rush(place: string, on: boolean): void {
    if (on) this.#rushing.add(place)
    else this.#rushing.delete(place)
  }

  /** No message is begun any more; resolves when all have ended, at the latest some time after their deadlines. Rejects
   *  when they do not. */
  async end(): Promise<void> {
    this.#ending = true
    const longest = Math.max(...this.#sources.map(({ timeoutMs }) => timeoutMs)) + 30_000
    const late = new AbortController()
    const waited = sleep(longest, 'late' as const, { signal: late.signal, ref: false }).catch(() => 'late' as const)
    if ((await Promise.race([this.#done, waited])) === 'late')
      throw new Error(`sends have not ended ${longest} ms after the last was begun`)
    late.abort()
  }

  async #call(source: Source, key: number): Promise<void> {
    const { place, callers, perSec, timeoutMs } = source
    const everyMs = (1000 * callers) / perSec
    // Callers begin spread over one interval.
    let due = performance.now() + (everyMs * key) / callers
    while (!this.#ending) {
      if (!this.#rushing.has(place)) {
        const aheadMs = due - performance.now()
        if (aheadMs > 0) await sleep(Math.min(aheadMs, 500))
        if (aheadMs > 500) continue
        due = Math.max(due + everyMs, performance.now() - everyMs)
      }
      const message = this.#recorder.take()
      this.#recorder.record({ kind: 'sent', message, place, key, dueAt: this.#recorder.now + timeoutMs })
      if (!(await this.#send(source, message))) await sleep(AFTER_REJECTION_MS)
    }
  }

  async #send(source: Source, message: number): Promise<boolean> {
    try {
      const answer = await source.send(message)
      this.#recorder.record({ kind: 'resolved', message })
      if (typeof answer === 'number') this.#recorder.record({ kind: 'replied', message, answer })
      return true
    } catch (error) {
      this.#recorder.reject(message, error)
      return false
    }
  }
}
