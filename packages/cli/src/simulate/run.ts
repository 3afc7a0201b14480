import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import {
  checkHistory,
  type HistoryPromises,
  type HistoryTotals,
  readerPromises,
  type Verdict,
} from '@oslo-messaging/conformance/history'
import { proxyURL, type ProxiedURL } from '@oslo-messaging/conformance/faults'
import {
  getBrokerAdmin,
  getNotificationListener,
  getNotificationTransport,
  getNotifier,
  getRpcClient,
  getRpcServer,
  getRpcTransport,
  type MessageServer,
  type MessagingConfig,
  type Transport,
} from '@oslo-messaging/core'
import { type Opening, openingOptions } from '../broker/connect.ts'
import type { Io } from '../io.ts'
import { errorText } from '../text/error-text.ts'
import { printable } from '../text/printable.ts'
import { type Fault, strike } from './fault-plan.ts'
import { cargo, generate } from './load.ts'
import { type Latency, Recorder, type Second } from './recorder.ts'

/** What is simulated. */
export interface SimulationPlan {
  readonly conf: MessagingConfig
  readonly rpcUrl: string
  readonly notifyUrl: string
  readonly profile: 'rpc' | 'notify' | 'hybrid'
  readonly rate: number
  readonly concurrency: number
  readonly bytes: number
  readonly durationMs: number
  readonly servers: number
  readonly timeoutMs: number
  /** How long what is left over may take to arrive after the last was sent. */
  readonly drainMs: number
  readonly faults: readonly Fault[]
  /** What the library logs goes to stderr. */
  readonly debug: boolean
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
const GRACE_MS = 2000
const PORTS: Readonly<Record<string, number>> = { rabbit: 5672, kombu: 5672, amqp: 5672 }
const [RPC, BUS] = ['rpc', 'bus'] as const

/** Sends numbered messages for a while, lets faults strike, and holds what happened to what was promised. */
export async function simulate(
  plan: SimulationPlan,
  io: Io,
  onSecond: (recorder: Recorder) => void,
): Promise<SimulationResult> {
  const startedAt = new Date().toISOString()
  const topic = `oslo-msg-simulate-${randomUUID().slice(0, 8)}`
  const stage = new Stage(plan, topic, io)
  let progress: NodeJS.Timeout | undefined
  try {
    await stage.open()
    const recorder = new Recorder()
    stage.recorder = recorder
    progress = setInterval(() => onSecond(recorder), 1000)
    const callOff = strike(plan.faults, stage.proxies, (error) => stage.tell('while a fault struck', error))
    try {
      await generate({ ...plan, signal: io.signal }, async () => await stage.send())
    } finally {
      callOff()
    }
    await stage.drain()
    clearInterval(progress)
    const verdict = checkHistory(recorder.history, stage.promises)
    return {
      startedAt,
      durationMs: recorder.now,
      drivers: stage.drivers,
      totals: verdict.totals,
      lost: (verdict.counts.lost ?? 0) + (verdict.counts['committed-and-dropped'] ?? 0),
      doubled: recorder.doubled,
      outOfOrder: verdict.counts.order ?? 0,
      late: verdict.counts.overdue ?? 0,
      verdict,
      latency: recorder.latency,
      curve: recorder.at(CURVE).map((ms, index) => ({ percentile: CURVE[index] ?? 0, ms })),
      seconds: recorder.seconds,
      recoveries: plan.faults.map((fault) => ({ fault, recoveryMs: recoveryOf(fault, recorder) })),
      rejections: Object.fromEntries(recorder.rejections),
    }
  } finally {
    clearInterval(progress)
    await stage.close()
  }
}

function recoveryOf({ fromMs, toMs }: Fault, { resolvedAt }: Recorder): number | null {
  const first = resolvedAt.find(({ sentAt, at }) => sentAt >= fromMs && at >= toMs)
  return first === undefined ? null : Math.max(0, first.at - toMs)
}

/** The transports, servers and listeners of a run. */
class Stage {
  readonly proxies: ProxiedURL['proxies'][number][] = []
  readonly drivers: string[] = []
  recorder = new Recorder()
  readonly #plan: SimulationPlan
  readonly #topic: string
  readonly #io: Io
  readonly #cargo: string
  readonly #opening: Opening
  readonly #transports: Transport[] = []
  readonly #servers: MessageServer[] = []
  readonly #closers: (() => Promise<void>)[] = []
  readonly #owed = new Set<number>()
  #senders: (() => Promise<void>)[] = []
  #turn = 0
  #promises: HistoryPromises['readers'] = {}

  constructor(plan: SimulationPlan, topic: string, io: Io) {
    this.#plan = plan
    this.#topic = topic
    this.#io = io
    this.#cargo = cargo(plan.bytes)
    this.#opening = openingOptions(plan, io, 'oslo-msg simulate')
  }

  async open(): Promise<void> {
    const { profile } = this.#plan
    if (profile !== 'notify') await this.#openRpc()
    if (profile !== 'rpc') await this.#openBus()
  }

  get promises(): HistoryPromises {
    return {
      readOutside: [],
      storedForReaders: false,
      storedOnce: false,
      storedInOrder: false,
      triesUntilDeadline: false,
      graceMs: GRACE_MS,
      readers: this.#promises,
    }
  }

  async send(): Promise<void> {
    const sender = this.#senders[this.#turn % this.#senders.length]
    this.#turn += 1
    await sender?.()
  }

  /** Waits until whatever was promised has arrived, at most so long. */
  async drain(): Promise<void> {
    const end = performance.now() + this.#plan.drainMs
    const isOwed = (): boolean => [...this.#owed].some((message) => !this.recorder.wasHandled(message))
    while (isOwed() && performance.now() < end) await sleep(50)
  }

  async close(): Promise<void> {
    for (const server of this.#servers) {
      await server.stop()
      await server.wait({ timeoutMs: 5000 }).catch((error: unknown) => this.tell('while tidying up', error))
    }
    for (const transport of this.#transports) await transport.close({ timeoutMs: 5000 })
    for (const close of this.#closers) await close().catch((error: unknown) => this.tell('while tidying up', error))
  }

  /** Says what went wrong beside the messages. */
  tell(at: string, error: unknown): void {
    this.#io.err(`oslo-msg: ${at}: ${printable(errorText(error))}\n`)
  }

  async #openRpc(): Promise<void> {
    const { conf, rpcUrl, servers, timeoutMs } = this.#plan
    const url = await this.#throughProxy(rpcUrl)
    const names = Array.from({ length: servers }, (_, index) => `server-${index + 1}`)
    for (const server of names) {
      const transport = await this.#add(await getRpcTransport(conf, { url, ...this.#opening }))
      const take = (
        _context: object,
        { n }: { readonly n: number },
        call: { readonly redelivered: boolean | undefined },
      ): number => {
        this.recorder.handled(n, 'servers', server, call.redelivered === true)
        return n
      }
      await this.#start(getRpcServer(transport, { topic: this.#topic, server }, [{ take }]))
    }
    const transport = await this.#add(await getRpcTransport(conf, { url, ...this.#opening }))
    this.drivers.push(`rpc over ${transport.driverName}`)
    const client = getRpcClient(transport, { topic: this.#topic }, { timeoutMs })
    this.#promises = {
      ...this.#promises,
      servers: { places: [RPC], delivery: 'at-least-once', repeats: 'marked', ordered: false, settles: false },
    }
    this.#senders.push(async () => {
      const one = this.recorder.begin(RPC, timeoutMs)
      try {
        one.resolved(await client.call({}, 'take', { n: one.message, cargo: this.#cargo }))
      } catch (error) {
        one.rejected(error)
      }
    })
    this.#tidy(rpcUrl, [this.#topic, ...names.map((name) => `${this.#topic}.${name}`)])
  }

  async #openBus(): Promise<void> {
    const { conf, notifyUrl, servers, timeoutMs } = this.#plan
    const url = await this.#throughProxy(notifyUrl)
    const topic = `${this.#topic}-notifications`
    for (let index = 0; index < servers; index += 1) {
      const transport = await this.#add(await getNotificationTransport(conf, { url, ...this.#opening }))
      const info = (
        _c: object,
        _p: unknown,
        _e: unknown,
        payload: unknown,
        _m: unknown,
        delivery: { readonly redelivered?: boolean },
      ): void => {
        const { n } = payload as { readonly n: number }
        this.recorder.handled(n, 'listeners', `listener-${index + 1}`, delivery.redelivered === true)
      }
      await this.#start(getNotificationListener(transport, [{ topic }], [{ info }]))
    }
    const transport = await this.#add(await getNotificationTransport(conf, { url, ...this.#opening }))
    this.drivers.push(`notifications over ${transport.driverName}`)
    const notifier = getNotifier(transport, {
      publisherId: 'oslo-msg',
      driver: 'messagingv2',
      topics: [topic],
      timeoutMs,
    })
    const promised = readerPromises(transport.capabilities, [BUS], { members: servers })
    // With two listeners the order of one queue is shared out between them.
    this.#promises = { ...this.#promises, listeners: { ...promised, ordered: false, settles: false } }
    const isOwed = promised.delivery === 'at-least-once'
    this.#senders.push(async () => {
      const one = this.recorder.begin(BUS, timeoutMs)
      try {
        await notifier.info({}, 'oslo-msg.simulate', { n: one.message, cargo: this.#cargo })
        if (isOwed || !this.#plan.faults.length) this.#owed.add(one.message)
        one.resolved()
      } catch (error) {
        one.rejected(error)
      }
    })
    this.#tidy(notifyUrl, [`${topic}.info`])
  }

  async #add<T extends Transport>(transport: T): Promise<T> {
    this.#transports.push(transport)
    return transport
  }

  async #start(server: MessageServer): Promise<void> {
    this.#servers.push(server)
    await server.start({ timeoutMs: this.#plan.timeoutMs, signal: this.#io.signal })
  }

  /** The same broker behind proxies, when there are faults to come and the driver goes through them: Kafka sends its
   *  clients past. */
  async #throughProxy(url: string): Promise<string> {
    const scheme = url.split(/[:+]/, 1)[0] ?? ''
    const defaultPort = PORTS[scheme]
    if (this.#plan.faults.length === 0 || defaultPort === undefined) return url
    const proxied = await proxyURL(url, { defaultPort })
    this.proxies.push(...proxied.proxies)
    this.#closers.unshift(async () => await proxied.close())
    return proxied.url.toSecretString()
  }

  /** Takes away the queues that a broker keeps, where the driver can. */
  #tidy(url: string, queues: readonly string[]): void {
    this.#closers.push(async () => {
      const admin = await getBrokerAdmin(this.#plan.conf, { url, ...this.#opening })
      try {
        if (admin.removesPools && url.startsWith('rabbit'))
          for (const queue of queues) await admin.removePool(queue, { timeoutMs: 5000 })
      } finally {
        await admin.close()
      }
    })
  }
}
