import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import {
  checkHistory,
  type HistoryPromises,
  type HistoryTotals,
  type Verdict,
} from '@oslo-messaging/conformance/history'
import { proxyURL, type ProxiedURL } from '@oslo-messaging/conformance/faults'
import { getBrokerAdmin, type MessagingConfig } from '@oslo-messaging/core'
import { isRabbit, openingOptions } from '../broker/connect.ts'
import type { Io } from '../io.ts'
import { errorText } from '../text/error-text.ts'
import { printable } from '../text/printable.ts'
import { Collected } from './collected.ts'
import { clockSince, machineNs } from './event.ts'
import { type Fault, needsProxy, strike, type Striking } from './fault-plan.ts'
import type { Levers } from './levers.ts'
import type { Latency, Recorder, Second } from './recorder.ts'
import { BUS, notificationTopicOf, type StageFacts } from './stage.ts'
import { LocalWorker, type Tell, type Worker, type WorkerPlan } from './worker.ts'
import { NODE_WORKER, ProcessWorker, pythonWorker } from './worker-process.ts'

/** What is simulated. */
export interface SimulationPlan extends Omit<
  WorkerPlan,
  'topic' | 'servers' | 'members' | 'sends' | 'numbers' | 'rpcUrl' | 'notifyUrl'
> {
  readonly conf: MessagingConfig
  readonly rpcUrl: string
  readonly notifyUrl: string
  readonly servers: number
  /** In how many processes; 1: in this one. */
  readonly processes: number
  /** Which side is Python's oslo.messaging, and the command of that Python. */
  readonly python: { readonly side: 'servers' | 'clients'; readonly command: string } | null
  /** How long what is left over may take to arrive after the last was sent. */
  readonly drainMs: number
  readonly faults: readonly Fault[]
  readonly levers: Levers
}

/** How far a run is. */
export interface Progress {
  readonly nowMs: number
  readonly sent: number
  readonly resolved: number
}

/** How a fault was borne. */
export interface Recovery {
  readonly fault: Fault
  /** From its end to the first message that was sent after its beginning and came through; null: none did. */
  readonly recoveryMs: number | null
}

/** What came of it. */
export interface SimulationResult {
  readonly startedAt: string
  readonly durationMs: number
  readonly processes: number
  readonly drivers: readonly string[]
  readonly totals: HistoryTotals
  readonly lost: number
  readonly doubled: number
  readonly outOfOrder: number
  readonly late: number
  readonly verdict: Verdict
  readonly latency: Latency
  readonly curve: readonly { readonly percentile: number; readonly ms: number }[]
  readonly seconds: readonly Second[]
  readonly recoveries: readonly Recovery[]
  readonly rejections: Readonly<Record<string, number>>
}

const CURVE = [0, 10, 25, 50, 75, 90, 95, 99, 99.5, 99.9, 99.99, 100]
const PROMISES = {
  readOutside: [],
  storedForReaders: false,
  storedOnce: false,
  storedInOrder: false,
  triesUntilDeadline: false,
  graceMs: 2000,
} as const
const PORTS: Readonly<Record<string, number>> = { rabbit: 5672, kombu: 5672, amqp: 5672 }

/** Sends numbered messages for a while, lets faults strike, and holds what happened to what was promised. */
export async function simulate(
  plan: SimulationPlan,
  io: Io,
  onSecond: (progress: Progress) => void,
): Promise<SimulationResult> {
  const run = new Run(plan, io)
  try {
    return await run.toItsEnd(onSecond)
  } finally {
    await run.tidy()
  }
}

/** One run, and what has to be ended after it. */
class Run {
  readonly #plan: SimulationPlan
  readonly #io: Io
  readonly #topic = `oslo-msg-simulate-${randomUUID().slice(0, 8)}`
  readonly #proxies: ProxiedURL[] = []
  #workers: readonly Worker[] = []
  #collected: Collected | undefined
  #striking: Striking | undefined
  #progress: NodeJS.Timeout | undefined

  constructor(plan: SimulationPlan, io: Io) {
    this.#plan = plan
    this.#io = io
  }

  async toItsEnd(onSecond: (progress: Progress) => void): Promise<SimulationResult> {
    const { profile, processes, python, faults, levers, drainMs } = this.#plan
    const startedAt = new Date().toISOString()
    const isAlone = processes === 1 && python === null
    this.#workers = await this.#makeWorkers(isAlone)
    const facts = await Promise.all(this.#workers.map((worker) => worker.open()))
    const readers = readersOf(this.#plan, facts)
    const isOwed = profile !== 'rpc' && (readers['listeners']?.delivery === 'at-least-once' || faults.length === 0)
    const collected = new Collected(isAlone, isOwed ? BUS : null)
    this.#collected = collected
    const beganAtNs = machineNs()
    const now = clockSince(beganAtNs)
    this.#progress = setInterval(
      () => onSecond({ nowMs: now(), sent: collected.sent, resolved: collected.resolved }),
      1000,
    )
    const proxies = this.#proxies.flatMap((each) => each.proxies)
    const striking = strike(faults, { proxies, levers, now }, (error) => this.#tell('while a fault struck', error))
    this.#striking = striking
    await Promise.all(this.#workers.map((worker) => worker.send(beganAtNs, this.#io.signal)))
    await striking.callOff()
    const end = performance.now() + drainMs
    while (collected.owed > 0 && performance.now() < end) await sleep(50)
    const durationMs = now()
    // Other processes tell the last of it when they are closed.
    if (!isAlone) await Promise.all(this.#workers.map(async (worker) => await worker.close()))
    const recorder = collected.finish()
    const verdict = checkHistory(recorder.history, { ...PROMISES, readers })
    return {
      startedAt,
      durationMs,
      processes: this.#workers.length,
      drivers: [...new Set(facts.flatMap(({ drivers }) => drivers))],
      totals: verdict.totals,
      lost: (verdict.counts.lost ?? 0) + (verdict.counts['committed-and-dropped'] ?? 0),
      doubled: recorder.doubled,
      outOfOrder: verdict.counts.order ?? 0,
      late: verdict.counts.overdue ?? 0,
      verdict,
      latency: recorder.latency,
      curve: recorder.at(CURVE).map((ms, index) => ({ percentile: CURVE[index] ?? 0, ms })),
      seconds: recorder.seconds,
      recoveries: faults.map((fault) => recoveryOf(fault, striking.endedAt(fault), recorder)),
      rejections: Object.fromEntries(recorder.rejections),
    }
  }

  /** Ends whatever is left, and takes away the queues that a broker keeps, where the driver can. */
  async tidy(): Promise<void> {
    clearInterval(this.#progress)
    await this.#striking?.callOff()
    await this.#closeWorkers()
    for (const proxied of this.#proxies) await proxied.close()
    const { profile, rpcUrl, notifyUrl, servers } = this.#plan
    const names = Array.from({ length: servers }, (_, index) => `${this.#topic}.server-${index + 1}`)
    if (profile !== 'notify') await this.#remove(rpcUrl, [this.#topic, ...names])
    if (profile !== 'rpc') await this.#remove(notifyUrl, [`${notificationTopicOf(this.#topic)}.info`])
  }

  async #makeWorkers(isAlone: boolean): Promise<readonly Worker[]> {
    const { profile, python, processes, servers, conf } = this.#plan
    const rpcUrl = await this.#throughProxy(this.#plan.rpcUrl, profile !== 'notify')
    const notifyUrl = await this.#throughProxy(this.#plan.notifyUrl, profile !== 'rpc')
    const tell: Tell = (events) => this.#collected?.take(events)
    const step = processes + (python === null ? 0 : 1)
    const own = (index: number, of: number): readonly number[] =>
      Array.from({ length: servers }, (_, server) => server).filter((server) => server % of === index)
    const share = { rpcUrl, notifyUrl, topic: this.#topic, members: servers }
    const ours = Array.from({ length: processes }, (_, index): Worker => {
      const sends = python?.side !== 'clients'
      const plan: WorkerPlan = {
        ...workerPart(this.#plan, sends ? processes : 1),
        ...share,
        sends,
        servers: python?.side === 'servers' ? [] : own(index, processes),
        numbers: { first: index, step },
      }
      return isAlone || processes === 1
        ? new LocalWorker(plan, conf, this.#io, tell)
        : new ProcessWorker(plan, NODE_WORKER, this.#io, tell)
    })
    if (python === null) return ours
    const plan: WorkerPlan = {
      ...workerPart(this.#plan, 1),
      ...share,
      sends: python.side === 'clients',
      servers: python.side === 'servers' ? own(0, 1) : [],
      numbers: { first: processes, step },
    }
    return [...ours, new ProcessWorker(plan, pythonWorker(python.command), this.#io, tell)]
  }

  /** The same broker behind proxies, when faults will go through them and the driver does: Kafka sends its clients
   *  past. */
  async #throughProxy(url: string, isUsed: boolean): Promise<string> {
    const defaultPort = PORTS[url.split(/[:+]/, 1)[0] ?? '']
    if (!isUsed || !needsProxy(this.#plan.faults) || defaultPort === undefined) return url
    const proxied = await proxyURL(url, { defaultPort })
    this.#proxies.push(proxied)
    return proxied.url.toSecretString()
  }

  async #closeWorkers(): Promise<void> {
    await Promise.all(
      this.#workers.map((worker) => worker.close().catch((error: unknown) => this.#tell('while tidying up', error))),
    )
  }

  async #remove(url: string, queues: readonly string[]): Promise<void> {
    if (!isRabbit(url)) return
    try {
      const admin = await getBrokerAdmin(this.#plan.conf, { url, ...openingOptions(this.#plan, this.#io) })
      try {
        if (admin.removesPools) for (const queue of queues) await admin.removePool(queue, { timeoutMs: 5000 })
      } finally {
        await admin.close()
      }
    } catch (error) {
      this.#tell('while tidying up', error)
    }
  }

  #tell(at: string, error: unknown): void {
    this.#io.err(`oslo-msg: ${at}: ${printable(errorText(error))}\n`)
  }
}

/** What every worker is told of the plan, as one of so many that send. */
function workerPart(plan: SimulationPlan, senders: number) {
  const { profile, rate, concurrency, bytes, durationMs, timeoutMs, configFile, configDir, debug } = plan
  return {
    profile,
    rate: rate / senders,
    concurrency: Math.max(1, Math.round(concurrency / senders)),
    bytes,
    durationMs,
    timeoutMs,
    configFile,
    configDir,
    debug,
  }
}

/** What the readers were promised, by those who know their drivers. */
function readersOf({ python }: SimulationPlan, facts: readonly StageFacts[]): HistoryPromises['readers'] {
  const readers = Object.assign({}, ...facts.map((each) => each.readers)) as HistoryPromises['readers']
  if (python?.side !== 'servers') return readers
  // Python's endpoints are not told whether a message is delivered again.
  return Object.fromEntries(Object.entries(readers).map(([name, reader]) => [name, { ...reader, repeats: 'allowed' }]))
}

function recoveryOf(fault: Fault, endedAt: number, { resolvedAt }: Recorder): Recovery {
  const first = resolvedAt.find(({ sentAt, at }) => sentAt >= fault.fromMs && at >= endedAt)
  return {
    fault: { ...fault, toMs: endedAt },
    recoveryMs: first === undefined ? null : Math.max(0, first.at - endedAt),
  }
}
