import type { Logger } from '@oslo-messaging/core'

/** Counts what the library warns of, by its text, and hands every line to whoever has to understand it. */
export class CountingLog implements Logger {
  readonly counts: Map<string, number> = new Map()
  readonly #onLine: (message: string, fields: Readonly<Record<string, unknown>>) => void

  constructor(onLine: (message: string, fields: Readonly<Record<string, unknown>>) => void) {
    this.#onLine = onLine
  }

  debug(message: string, fields: Readonly<Record<string, unknown>> = {}): void {
    this.#onLine(message, fields)
  }

  info(message: string, fields: Readonly<Record<string, unknown>> = {}): void {
    this.#onLine(message, fields)
  }

  warn(message: string, fields: Readonly<Record<string, unknown>> = {}): void {
    this.#count(message, fields)
  }

  error(message: string, fields: Readonly<Record<string, unknown>> = {}): void {
    this.#count(message, fields)
  }

  #count(message: string, fields: Readonly<Record<string, unknown>>): void {
    // Numbers and what is in brackets differ from line to line.
    const text = message
      .replace(/\d+/g, '#')
      .replace(/\(.*\)/, '()')
      .slice(0, 100)
    this.counts.set(text, (this.counts.get(text) ?? 0) + 1)
    this.#onLine(message, fields)
  }
}
