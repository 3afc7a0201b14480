import type { Transport } from '@oslo-messaging/core'
import { until } from './until.ts'

const WELL = new Set(['consuming', 'connected', 'closed'])
const WELL_WITHIN_MS = 60_000
/** What was not well a minute after an earlier trouble is told again, but not waited for as long. */
const STILL_ILL_MS = 5_000

/** A component that is not well. */
interface Illness {
  /** Says which, for as long as it lives. */
  readonly who: string
  /** State, since when and why. */
  readonly says: string
}

/** Waits for the health of transports after each trouble, and remembers who never recovered. */
export class HealthWatch {
  #known: ReadonlySet<string> = new Set()

  /** Resolves when all are well; rejects with everything that is not a minute later, or sooner when it was not before
   *  either. */
  async well(transports: () => readonly Transport[]): Promise<void> {
    const startedAt = performance.now()
    let ill: readonly Illness[] = []
    const isDecided = (): boolean => {
      ill = transports().flatMap(illnessesOf)
      const isOld = ill.every(({ who }) => this.#known.has(who)) && performance.now() - startedAt > STILL_ILL_MS
      return ill.length === 0 || isOld
    }
    const isInTime = await until(isDecided, 'health ok', WELL_WITHIN_MS).catch(() => false)
    if (ill.length === 0) return
    this.#known = new Set(ill.map(({ who }) => who))
    const when = isInTime ? 'still' : `${WELL_WITHIN_MS / 1000} s later`
    throw new Error(`not well ${when}: ${ill.map(({ says }) => says).join('; ')}`)
  }
}

/** What is wrong with a transport, in its own words. */
function illnessesOf(transport: Transport): readonly Illness[] {
  const { status, components } = transport.health()
  if (status === 'ok' || status === 'idle') return []
  return components
    .filter(({ state }) => !WELL.has(state))
    .map(({ kind, name, state, sinceMs, reason }) => {
      const seconds = Math.round((Date.now() - sinceMs) / 1000)
      return {
        who: `${kind} ${name}`,
        says: `${name} ${state} for ${seconds} s${reason === undefined ? '' : ` (${reason})`}`,
      }
    })
}
