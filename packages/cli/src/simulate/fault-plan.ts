import type { FaultProxy } from '@oslo-messaging/conformance/faults'
import { UsageError } from '../usage-error.ts'
import { type Levers, pull } from './levers.ts'

/** What a proxy can do to a connection. */
const PROXIED = ['reset', 'freeze', 'blackhole', 'refuse', 'slow'] as const
type Proxied = (typeof PROXIED)[number]
/** What only a command of the operator can do to the broker. */
const PULLED = ['restart', 'kill-node'] as const
type Kind = Proxied | (typeof PULLED)[number]
const KINDS: readonly Kind[] = [...PROXIED, ...PULLED]

/** One fault of a plan, on the clock of the run. */
export interface Fault {
  readonly kind: Kind
  readonly fromMs: number
  /** When it is ended. One that a command does ends when the command has; this is what the plan says. */
  readonly toMs: number
}

const SLOW_MS = 200
const PART = /^([a-z-]+)@(\d+(?:\.\d+)?)s?(?:\+(\d+(?:\.\d+)?)s?)?$/
const LASTING: readonly Kind[] = ['freeze', 'blackhole', 'refuse', 'slow']

/** Reads `reset@5s, freeze@10s+3s`. Throws UsageError. */
export function readFaults(text: string, levers: Levers): readonly Fault[] {
  return text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '')
    .map((part) => {
      const [, name, from, length] = PART.exec(part) ?? []
      const kind = KINDS.find((each) => each === name)
      if (from === undefined || kind === undefined)
        throw new UsageError(
          `A fault is KIND@SECONDS or KIND@SECONDS+SECONDS with ${KINDS.join(', ')}, not ${JSON.stringify(part)}`,
        )
      if (length === undefined && LASTING.includes(kind))
        throw new UsageError(`${kind} lasts for a while: write ${kind}@${from}s+3s`)
      if (kind === 'restart' && levers.restart === undefined)
        throw new UsageError('restart needs the command that restarts the broker: --restart-command')
      if (kind === 'kill-node' && levers.killNode === undefined)
        throw new UsageError('kill-node needs the command that kills a node: --kill-node-command')
      if (kind === 'kill-node' && length !== undefined && levers.startNode === undefined)
        throw new UsageError(
          `kill-node@${from}s+${length}s needs the command that starts the node again: --start-node-command`,
        )
      const fromMs = Number(from) * 1000
      return { kind, fromMs, toMs: fromMs + Number(length ?? 0) * 1000 }
    })
    .toSorted((one, other) => one.fromMs - other.fromMs)
}

/** Whether any of them goes through a proxy. */
export function needsProxy(plan: readonly Fault[]): boolean {
  return plan.some(({ kind }) => isProxied(kind))
}

const isProxied = (kind: Kind): kind is Proxied => PROXIED.some((each) => each === kind)

/** Faults under way. */
export interface Striking {
  /** Calls off what is left and ends what has begun. Resolves when the commands have ended. */
  callOff(): Promise<void>
  /** When a fault ended, on the clock of the run. */
  endedAt(fault: Fault): number
}

/** Lets each fault strike at its time, through every proxy or by its command; `tell` hears of one that could not begin
 *  or end. */
export function strike(
  plan: readonly Fault[],
  {
    proxies,
    levers,
    now,
  }: { readonly proxies: readonly FaultProxy[]; readonly levers: Levers; readonly now: () => number },
  tell: (error: unknown) => void,
): Striking {
  const underway = new Set<Fault>()
  const pulled = new Map<Fault, Promise<void>>()
  const ended = new Map<Fault, number>()
  const run = async (fault: Fault, command: string): Promise<void> => {
    // A node that is started while it is still being killed would stay dead.
    await pulled.get(fault)
    await pull(command).catch(tell)
    // A node that is dead has to be borne from then on, not from when it is back.
    if (!ended.has(fault)) ended.set(fault, now())
  }
  const begin = (fault: Fault): void => {
    const { kind, toMs, fromMs } = fault
    if (toMs > fromMs) underway.add(fault)
    if (isProxied(kind)) for (const proxy of proxies) beginProxied(kind, proxy).catch(tell)
    else pulled.set(fault, run(fault, (kind === 'restart' ? levers.restart : levers.killNode) ?? ''))
  }
  const end = (fault: Fault): void => {
    const { kind } = fault
    underway.delete(fault)
    if (isProxied(kind)) for (const proxy of proxies) endProxied(kind, proxy).catch(tell)
    else if (kind === 'kill-node' && levers.startNode !== undefined) pulled.set(fault, run(fault, levers.startNode))
  }
  const timers = plan.flatMap((fault) => {
    const strikes = setTimeout(() => begin(fault), fault.fromMs)
    return fault.toMs === fault.fromMs ? [strikes] : [strikes, setTimeout(() => end(fault), fault.toMs)]
  })
  return {
    async callOff() {
      for (const timer of timers) clearTimeout(timer)
      for (const fault of underway) end(fault)
      await Promise.all(pulled.values())
    },
    endedAt: (fault) => ended.get(fault) ?? fault.toMs,
  }
}

async function beginProxied(kind: Proxied, proxy: FaultProxy): Promise<void> {
  if (kind === 'reset') proxy.reset()
  else if (kind === 'freeze') proxy.stall()
  else if (kind === 'blackhole') proxy.blackhole()
  else if (kind === 'slow') proxy.delay(SLOW_MS)
  else await proxy.refuse()
}

async function endProxied(kind: Proxied, proxy: FaultProxy): Promise<void> {
  if (kind === 'refuse') await proxy.accept()
  else proxy.pass()
}
