import type { BrokerAdmin, QueueReport, Transport } from '@oslo-messaging/core'
import { type Pong, pingAll, pingOne } from '../broker/pinging.ts'
import { errorText } from '../text/error-text.ts'
import { type Counted, countTopic, quantileBetween, readSamples } from './prometheus.ts'

/** What is looked at. */
export interface Watched {
  readonly topic: string
  readonly exchange: string | null
  /** Servers that are asked by name; none: whoever answers. */
  readonly servers: readonly string[]
  /** Base URLs of probes, or the URL of a page of metrics. */
  readonly probes: readonly string[]
  readonly waitMs: number
  readonly timeoutMs: number
  readonly management: string | null
  readonly signal: AbortSignal
}

/** Where answers come from; null: that one is not asked. */
export interface Sources {
  readonly transport: Transport | null
  readonly admin: BrokerAdmin | null
}

/** What one process says of itself. */
export interface ProbeFigures {
  readonly url: string
  readonly ready: boolean | null
  readonly reason: string | null
  /** Handled a second since the last look; null at the first. */
  readonly perSecond: number | null
  readonly failedPerSecond: number | null
  /** Of the handlers, since the last look, milliseconds. */
  readonly p50: number | null
  readonly p99: number | null
  readonly running: number | null
  readonly waiting: number | null
  readonly loopDelayMs: number | null
}

/** Everything at one moment. */
export interface Figures {
  readonly at: string
  readonly topic: string
  readonly servers: readonly Pong[]
  readonly queues: readonly QueueReport[]
  readonly probes: readonly ProbeFigures[]
  /** Messages that wait; null: nobody says. */
  readonly backlog: number | null
  /** By the broker, or by the probes; null: nobody says. */
  readonly perSecond: number | null
  readonly health: 'ok' | 'behind' | 'down' | 'unknown'
  /** Why something is missing, or why it is not well. */
  readonly notes: readonly string[]
}

/** Looks again and again, and remembers what rates are counted from. */
export class Look {
  readonly #watched: Watched
  readonly #sources: Sources
  readonly #before = new Map<string, { readonly atMs: number; readonly counted: Counted }>()
  #backlog: number | null = null

  constructor(watched: Watched, sources: Sources) {
    this.#watched = watched
    this.#sources = sources
  }

  /** Whether a second look says more than the first. */
  get needsTwo(): boolean {
    return this.#watched.probes.length > 0
  }

  async look(): Promise<Figures> {
    const { topic, probes } = this.#watched
    const notes: string[] = []
    const [servers, queues, processes] = await Promise.all([
      this.#servers(notes),
      this.#queues(notes),
      Promise.all(probes.map(async (url) => await this.#probe(url, notes))),
    ])
    this.#watched.signal.throwIfAborted()
    const backlog = queues === null ? null : queues.reduce((sum, { messages }) => sum + messages, 0)
    const isGrowing = this.#backlog !== null && backlog !== null && backlog > this.#backlog
    this.#backlog = backlog
    const figures = {
      at: new Date().toISOString(),
      topic,
      servers: servers ?? [],
      queues: queues ?? [],
      probes: processes,
      backlog,
      perSecond: rateOf(queues, processes),
    }
    return { ...figures, health: this.#healthOf(servers, queues, processes, isGrowing, notes), notes }
  }

  #healthOf(
    servers: readonly Pong[] | null,
    queues: readonly QueueReport[] | null,
    probes: readonly ProbeFigures[],
    isGrowing: boolean,
    notes: string[],
  ): Figures['health'] {
    const silent = (servers ?? []).filter(({ ms }) => ms === null)
    const unready = probes.filter(({ ready }) => ready === false)
    for (const { server } of silent) notes.push(`${server} does not answer`)
    for (const { url, reason } of unready) notes.push(`${url} is not ready: ${reason ?? 'it does not say why'}`)
    const isRead = (queues ?? []).some(({ consumers }) => consumers > 0)
    if (servers !== null && servers.every(({ ms }) => ms === null)) {
      if (servers.length === 0) notes.push('no server answers')
      return 'down'
    }
    if (servers === null && queues !== null && queues.length > 0 && !isRead) {
      notes.push('nobody reads it')
      return 'down'
    }
    if (isGrowing) notes.push('more waits than before')
    if (isGrowing || silent.length > 0 || unready.length > 0) return 'behind'
    return servers === null && queues === null ? 'unknown' : 'ok'
  }

  async #servers(notes: string[]): Promise<readonly Pong[] | null> {
    const { transport } = this.#sources
    if (transport === null) return null
    const { topic, exchange, servers, waitMs, timeoutMs, signal } = this.#watched
    const waits = { waitMs, connectMs: timeoutMs, signal }
    try {
      if (servers.length === 0) return await pingAll(transport, { topic, exchange }, waits)
      return await Promise.all(
        servers.map(async (server) => await pingOne(transport, { topic, exchange, server }, waits)),
      )
    } catch (error) {
      if (!signal.aborted) notes.push(`servers: ${errorText(error)}`)
      return []
    }
  }

  async #queues(notes: string[]): Promise<readonly QueueReport[] | null> {
    const { admin } = this.#sources
    if (admin === null) return null
    const { topic, timeoutMs, signal, management } = this.#watched
    try {
      const all = await admin.queues({ timeoutMs, signal, management })
      return all.filter(({ name }) => belongsTo(name, topic))
    } catch (error) {
      if (!signal.aborted) notes.push(`queues: ${errorText(error)}`)
      return null
    }
  }

  async #probe(url: string, notes: string[]): Promise<ProbeFigures> {
    const [health, metrics] = await Promise.all([
      this.#get(url, '/health').then(readHealth, () => null),
      this.#get(url, '/metrics').then(readSamples, () => null),
    ])
    if (health === null && metrics === null && !this.#watched.signal.aborted)
      notes.push(`${url}: neither /health nor /metrics answers`)
    const counted = metrics === null ? null : countTopic(metrics, this.#watched.topic)
    const last = this.#before.get(url)
    const atMs = performance.now()
    if (counted !== null) this.#before.set(url, { atMs, counted })
    const perSecond = (count: (of: Counted) => number): number | null =>
      counted === null || last === undefined
        ? null
        : Math.max(0, (count(counted) - count(last.counted)) / ((atMs - last.atMs) / 1000))
    const quantile = (share: number): number | null =>
      counted === null || last === undefined ? null : quantileBetween(last.counted, counted, share)
    return {
      url,
      ready: health?.ready ?? null,
      reason: health?.reason ?? null,
      perSecond: perSecond(({ handled }) => handled),
      failedPerSecond: perSecond(({ failed }) => failed),
      p50: quantile(0.5),
      p99: quantile(0.99),
      running: counted?.running ?? null,
      waiting: counted?.waiting ?? null,
      loopDelayMs: health?.loopDelayMs ?? null,
    }
  }

  /** `path` of a base URL; a URL that has a path of its own is a page of metrics. */
  async #get(base: string, path: '/health' | '/metrics'): Promise<string> {
    const url = new URL(base)
    const isPage = url.pathname !== '/'
    if (isPage && path === '/health') throw new Error('a page of metrics has no health')
    if (!isPage) url.pathname = path
    const { timeoutMs, signal } = this.#watched
    const answer = await fetch(url, { signal: AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]) })
    if (!answer.ok) throw new Error(`status ${answer.status}`)
    return await answer.text()
  }
}

interface HealthFacts {
  readonly ready?: boolean
  readonly reason?: string
  readonly loopDelayMs?: number
}

const readHealth = (text: string): HealthFacts => JSON.parse(text) as HealthFacts

/** Queues of the topic by the names that drivers give: `topic`, `topic.server`, `topic_fanout_...`, `topic.priority`,
 *  and on Kafka `topic.priority (group)`. */
function belongsTo(name: string, topic: string): boolean {
  return name === topic || [`${topic}.`, `${topic}_fanout`, `${topic} (`].some((start) => name.startsWith(start))
}

function rateOf(queues: readonly QueueReport[] | null, probes: readonly ProbeFigures[]): number | null {
  const told = (queues ?? []).flatMap(({ rates }) => (rates === undefined || rates === null ? [] : [rates.out]))
  const counted = probes.flatMap(({ perSecond }) => (perSecond === null ? [] : [perSecond]))
  const rates = told.length > 0 ? told : counted
  return rates.length === 0 ? null : rates.reduce((sum, rate) => sum + rate, 0)
}
