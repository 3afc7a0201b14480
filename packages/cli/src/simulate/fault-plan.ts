import type { FaultProxy } from '@oslo-messaging/conformance/faults'
import { UsageError } from '../usage-error.ts'

/** What a proxy can do to a connection. */
const KINDS = ['reset', 'freeze', 'blackhole', 'refuse', 'slow'] as const
type Kind = (typeof KINDS)[number]

/** One fault of a plan, on the clock of the run. */
export interface Fault {
  readonly kind: Kind
  readonly fromMs: number
  readonly toMs: number
}

const SLOW_MS = 200
const PART = /^([a-z-]+)@(\d+(?:\.\d+)?)s?(?:\+(\d+(?:\.\d+)?)s?)?$/

/** Reads `reset@5s, freeze@10s+3s`. Throws UsageError. */
export function readFaults(text: string): readonly Fault[] {
  return text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '')
    .map((part) => {
      const [, name, from, length] = PART.exec(part) ?? []
      const kind = KINDS.find((each) => each === name)
      if (name === 'restart' || name === 'kill-node')
        throw new UsageError(
          `${name} needs a broker that this program may stop; it has ${KINDS.join(', ')}, by a proxy`,
        )
      if (from === undefined || kind === undefined)
        throw new UsageError(
          `A fault is KIND@SECONDS or KIND@SECONDS+SECONDS with ${KINDS.join(', ')}, not ${JSON.stringify(part)}`,
        )
      if (kind !== 'reset' && length === undefined)
        throw new UsageError(`${kind} lasts for a while: write ${kind}@${from}s+3s`)
      const fromMs = Number(from) * 1000
      return { kind, fromMs, toMs: fromMs + Number(length ?? 0) * 1000 }
    })
    .toSorted((one, other) => one.fromMs - other.fromMs)
}

/** Lets each fault strike at its time, through every proxy; `tell` hears of one that could not begin or end. The
 *  returned function calls off what is left and ends what has begun. */
export function strike(
  plan: readonly Fault[],
  proxies: readonly FaultProxy[],
  tell: (error: unknown) => void,
): () => void {
  const underway = new Set<Kind>()
  const each = (step: (kind: Kind, proxy: FaultProxy) => Promise<void>, kind: Kind): void => {
    for (const proxy of proxies) step(kind, proxy).catch(tell)
  }
  const timers = plan.flatMap(({ kind, fromMs, toMs }) => {
    const strikes = setTimeout(() => {
      if (kind !== 'reset') underway.add(kind)
      each(begin, kind)
    }, fromMs)
    if (kind === 'reset') return [strikes]
    const ends = setTimeout(() => {
      underway.delete(kind)
      each(end, kind)
    }, toMs)
    return [strikes, ends]
  })
  return () => {
    for (const timer of timers) clearTimeout(timer)
    for (const kind of underway) each(end, kind)
  }
}

async function begin(kind: Kind, proxy: FaultProxy): Promise<void> {
  if (kind === 'reset') proxy.reset()
  else if (kind === 'freeze') proxy.stall()
  else if (kind === 'blackhole') proxy.blackhole()
  else if (kind === 'slow') proxy.delay(SLOW_MS)
  else await proxy.refuse()
}

async function end(kind: Kind, proxy: FaultProxy): Promise<void> {
  if (kind === 'refuse') await proxy.accept()
  else proxy.pass()
}
