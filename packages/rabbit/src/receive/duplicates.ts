import { DuplicateCache, emitDiagnostic } from '@oslo-messaging/core/driver'
import { reportDropped } from './dropped.ts'
import { DRIVER, type Runtime } from '../connection/runtime.ts'
import type { DuplicateStore } from '../settings.ts'

/** Ids that are only counted when they come again, for each listener: four bytes each. */
const MOST_WITNESSED = 4096

/** Tells messages that were handled already from new ones: those whose id is still kept are held back, those further
 *  back are handed over and counted (P21). */
export class Duplicates {
  readonly #runtime: Runtime
  readonly #name: string
  readonly #kept: DuplicateStore
  readonly #witnessed = new DuplicateCache<number>(MOST_WITNESSED)

  constructor(runtime: Runtime, name: string) {
    const { duplicateCacheSize, duplicateStore } = runtime.settings
    this.#runtime = runtime
    this.#name = name
    this.#kept = duplicateStore?.(name) ?? new DuplicateCache(duplicateCacheSize)
  }

  /** Whether it is to be held back. */
  has(id: string): boolean {
    return this.#ask(() => this.#kept.has(id)) ?? false
  }

  /** It was handled. */
  add(id: string): void {
    this.#ask(() => this.#kept.add(id))
    this.#witnessed.add(hashOf(id))
  }

  /** A store that fails knows nothing: the message is handled, once more if need be. */
  #ask<T>(question: () => T): T | undefined {
    try {
      return question()
    } catch (error) {
      const source = `duplicate store of ${this.#name}`
      this.#runtime.logger.warn(`${source}: ${error instanceof Error ? error.message : String(error)}`, { error })
      emitDiagnostic('oslo-messaging:background-error', () => ({ source, error }))
      return undefined
    }
  }

  /** It was held back. */
  reportHeldBack(id: string): void {
    reportDropped(this.#runtime, this.#name, 'duplicate', { uniqueId: id })
  }

  /** It is handed over: says so when it was handled before. */
  reportAgain(id: string): void {
    if (!this.#witnessed.has(hashOf(id))) return
    emitDiagnostic('oslo-messaging:duplicate-handled', () => ({ driver: DRIVER, source: this.#name, uniqueId: id }))
  }
}

/** FNV-1a in 31 bits, which the engine keeps without a box. One in half a million ids is counted wrongly, none is held
 *  back. */
function hashOf(id: string): number {
  let hash = 0x811c9dc5
  for (let index = 0; index < id.length; index += 1) hash = Math.imul(hash ^ id.charCodeAt(index), 0x01000193)
  return hash >>> 1
}
