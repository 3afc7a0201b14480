import { setTimeout as sleep } from 'node:timers/promises'

import type { FaultProxy, Towards } from './fault-proxy.ts'
import { Random } from './random.ts'

/** What a network does to a client; each lasts for a while and ends. */
export type FaultKind = 'cut' | 'fin' | 'stall' | 'half-open' | 'slow' | 'split' | 'delay' | 'drop' | 'refuse'

/** All of them. */
export const FAULT_KINDS: readonly FaultKind[] = [
  'cut',
  'fin',
  'stall',
  'half-open',
  'slow',
  'split',
  'delay',
  'drop',
  'refuse',
]

/** Which faults come, when, and until when. */
export interface RandomFaultOptions {
  /** The same seed makes the same faults at the same distances. */
  readonly seed: string
  /** Default: every kind. */
  readonly kinds?: readonly FaultKind[]
  /** Least and most milliseconds between the end of a fault and the next. Default 500 to 2000. */
  readonly pauseMs?: readonly [number, number]
  /** Least and most milliseconds that a fault lasts. Default 200 to 2000. */
  readonly lastsMs?: readonly [number, number]
  /** Ends it; what is broken then is mended first. */
  readonly signal: AbortSignal
  /** Told of each fault when it has ended. */
  readonly onFault?: (fault: FaultRecord) => void
}

/** A fault that has been. */
export interface FaultRecord {
  readonly kind: FaultKind
  /** Where it was: number of the proxy, counted from 0. */
  readonly proxy: number
  readonly towards: Towards
  /** Milliseconds since the faults began. */
  readonly fromMs: number
  readonly toMs: number
}

/** Breaks what goes through the proxies, one fault at a time, until `signal` aborts. Resolves with all faults once
 *  every proxy is honest again. Rejects when a port that was refused cannot be opened again. */
export async function breakAtRandom(
  proxies: readonly FaultProxy[],
  options: RandomFaultOptions,
): Promise<readonly FaultRecord[]> {
  const random = new Random(options.seed)
  const [pauseLow, pauseHigh] = options.pauseMs ?? [500, 2000]
  const [lastsLow, lastsHigh] = options.lastsMs ?? [200, 2000]
  const start = performance.now()
  const records: FaultRecord[] = []
  while (await waited(random.between(pauseLow, pauseHigh), options.signal)) {
    const proxy = random.between(0, proxies.length - 1)
    const kind = random.pick(options.kinds ?? FAULT_KINDS)
    const towards = random.pick(['both', 'client', 'broker'] as const)
    const lastsMs = random.between(lastsLow, lastsHigh)
    const at = proxies[proxy]
    if (at === undefined) throw new RangeError('There is no proxy to break')
    const fromMs = performance.now() - start
    await strike(at, kind, towards, random)
    await waited(lastsMs, options.signal)
    at.pass()
    await at.accept()
    const record = { kind, proxy, towards, fromMs, toMs: performance.now() - start }
    records.push(record)
    options.onFault?.(record)
  }
  return records
}

async function strike(proxy: FaultProxy, kind: FaultKind, towards: Towards, random: Random): Promise<void> {
  switch (kind) {
    case 'cut':
      return proxy.reset()
    case 'fin':
      return proxy.fin()
    case 'stall':
      return proxy.stall(towards)
    case 'half-open':
      return proxy.halfOpen()
    case 'slow':
      return proxy.slow(random.between(1_000, 20_000), towards)
    case 'split':
      return proxy.split(random.between(1, 32))
    case 'delay':
      return proxy.delay(random.between(20, 300), towards)
    case 'drop':
      return proxy.drop(towards)
    case 'refuse':
      return await proxy.refuse()
  }
}

/** Whether the time passed before the signal aborted. */
async function waited(ms: number, signal: AbortSignal): Promise<boolean> {
  if (signal.aborted) return false
  await sleep(ms, undefined, { signal }).catch(() => undefined)
  return !signal.aborted
}
