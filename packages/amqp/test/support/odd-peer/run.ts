import { setTimeout as pause } from 'node:timers/promises'
import { inspect } from 'node:util'
import {
  Deadline,
  type Driver,
  isMessagingError,
  MessagingTimeout,
  type IncomingRequest,
  Target,
} from '@oslo-messaging/core/driver'
import { openDriver } from '../open-driver.ts'
import { type OddPeer, startOddPeer } from '../odd-peer.ts'
import { LoopWatch } from './loop-watch.ts'
import { type Mischief, MISCHIEFS, undo } from './mischief.ts'
import { Random } from './random.ts'

export interface RunOptions {
  readonly seed: number
  readonly forMs: number
  /** Longest time of one mischief, milliseconds; now and then one lasts this long. */
  readonly longestMs: number
  /** Each mischief lasts this long. Default: false. */
  readonly isAlwaysLongest?: boolean
  /** Of both sides, seconds. Default: 2. */
  readonly idleTimeoutS?: number
  /** Misbehave in these ways only; by their names. Default: in all. */
  readonly only?: readonly string[]
  /** Hears of each round as it begins, and of each violation at once. */
  readonly tell?: (line: string) => void
}

export interface RunReport {
  readonly rounds: number
  readonly operations: number
  /** How operations ended, by code; `ok` for those that went well. */
  readonly endings: Readonly<Record<string, number>>
  /** What must not happen and did: each says the round, what the peer was doing, and what came of it. */
  readonly violations: readonly string[]
}

const VICTIM = 'victim'
const SIBLING = 'sibling'
/** All is well again after this: an attach that is not answered is given up after ten seconds, and another attempt
 *  follows. */
const RECOVERED_WITHIN_MS = 20_000
/** Health says within this what is wrong. */
const NOTICED_WITHIN_MS = 10_000
/** An operation may end so much later than its deadline, beside what the machine was late itself. */
const TICK_MS = 400
/** What operations end with when a peer fails them, and when they go well. */
const USUAL = new Set(['ok', 'OSLO_MESSAGING_TIMEOUT', 'OSLO_MESSAGING_DELIVERY', 'OSLO_MESSAGING_REPLY_PATH_LOST'])
/** The heap may grow by this much over a run. */
const HEAP_BYTES = 64 * 1024 * 1024

const kinds = ['call', 'cast', 'fanout', 'notification'] as const
type Kind = (typeof kinds)[number]

interface Ending {
  readonly kind: Kind
  readonly topic: string
  readonly id: string
  readonly startedAt: number
  readonly endedAt: number
  readonly error: unknown
}

/** A server, a client and a peer between them that misbehaves at random for a while, over and over. */
export async function runOddPeer(options: RunOptions): Promise<RunReport> {
  const run = new Run(options)
  try {
    await run.open()
    await run.rounds()
    return run.report()
  } finally {
    await run.close()
  }
}

class Run {
  readonly #options: RunOptions
  readonly #random: Random
  readonly #violations: string[] = []
  readonly #endings: Record<string, number> = {}
  readonly #loop = new LoopWatch()
  readonly #taken: string[] = []
  #peer: OddPeer | undefined
  #drivers: { readonly server: Driver; readonly client: Driver } | undefined
  #rounds = 0
  #operations = 0
  #doing = 'nothing'

  constructor(options: RunOptions) {
    this.#options = options
    this.#random = new Random(options.seed)
  }

  report(): RunReport {
    return {
      rounds: this.#rounds,
      operations: this.#operations,
      endings: this.#endings,
      violations: this.#violations,
    }
  }

  async open(): Promise<void> {
    const peer = (this.#peer = await startOddPeer())
    const url = `amqp://127.0.0.1:${peer.port}/`
    const settings = { addressing_mode: 'legacy', idle_timeout: this.#options.idleTimeoutS ?? 2 } as const
    const [server, client] = [await openDriver(url, settings), await openDriver(url, settings)]
    this.#drivers = { server, client }
    for (const topic of [VICTIM, SIBLING]) {
      await server.listen(new Target({ topic, server: 's' }), {
        deadline: Deadline.after(10_000),
        prefetch: 50,
        onMessage: (incoming) => this.#serve(topic, incoming),
      })
      await server.listenForNotifications([{ target: new Target({ topic }), priority: 'info' }], {
        deadline: Deadline.after(10_000),
        prefetch: 50,
        pool: null,
        allowRequeue: false,
        onMessage: (incoming) => {
          // What nobody can read is handed over as such, and is for nobody.
          if (incoming.unreadable === undefined) this.#isFor(topic, incoming.message)
          incoming.acknowledge()
        },
      })
    }
  }

  async close(): Promise<void> {
    this.#loop.close()
    const signal = AbortSignal.timeout(1_000)
    await Promise.all([this.#drivers?.client.close({ signal }), this.#drivers?.server.close({ signal })])
    await this.#peer?.close()
  }

  async rounds(): Promise<void> {
    const { forMs, only } = this.#options
    const from = only === undefined ? MISCHIEFS : MISCHIEFS.filter(({ name }) => only.includes(name))
    await this.#recovered()
    const [heap, until] = [this.#loop.heapBytes(), performance.now() + forMs]
    while (performance.now() < until) {
      this.#rounds += 1
      await this.#round(this.#random.pick(from))
    }
    const grown = this.#loop.heapBytes() - heap
    if (grown > HEAP_BYTES) this.#violated(`the heap grew by ${grown} bytes`)
  }

  async #round(mischief: Mischief): Promise<void> {
    const [random, peer] = [this.#random, this.#required(this.#peer)]
    const { longestMs, isAlwaysLongest = false } = this.#options
    const holdMs = isAlwaysLongest || random.next() < 0.1 ? longestMs : random.between(20, Math.min(1_200, longestMs))
    this.#doing = `${mischief.name} for ${holdMs} ms`
    this.#options.tell?.(`round ${this.#rounds}: ${this.#doing}`)
    this.#loop.begin()
    const operations = this.#some(mischief.scope, random.between(1, 3))
    mischief.begin({ peer, random, isVictim: (address) => address.includes(`.${VICTIM}`) })
    const endsAt = performance.now() + holdMs
    do {
      operations.push(...this.#some(mischief.scope, random.between(0, 4)))
      await pause(Math.min(200, Math.max(0, endsAt - performance.now())))
    } while (performance.now() < endsAt)
    if (holdMs >= NOTICED_WITHIN_MS) await this.#noticed()
    undo(peer, {}, mischief.scope)
    await Promise.all(operations)
    await this.#recovered()
    this.#judge()
  }

  /** Nothing came to a wrong address, nothing was stored twice, and the client kept to the specification. */
  #judge(): void {
    const peer = this.#required(this.#peer)
    const ids = new Set<string>()
    for (const { address, message, isTaken } of peer.nodes.received.splice(0)) {
      if (message.to !== address) this.#violated(`a message for ${message.to} came to ${address}`)
      const id = typeof message.body === 'string' ? /\\?"id\\?": ?\\?"(\d+)/.exec(message.body)?.[1] : undefined
      if (id === undefined || !isTaken || !address.startsWith('unicast')) continue
      if (ids.has(id)) this.#violated(`message ${id} was stored twice at ${address}`)
      ids.add(id)
    }
    for (const id of this.#taken.splice(0))
      if (!ids.has(id)) this.#violated(`notification ${id} resolved and is not stored`)
    for (const violation of peer.takeViolations()) this.#violated(`the client: ${violation}`)
    peer.nodes.outcomes.length = 0
    const blockedMs = this.#loop.worstMs
    if (blockedMs > 2_000)
      this.#violated(`the event loop stood still for ${Math.round(blockedMs)} ms of processor time`)
  }

  /** Operations on what suffers, and on what must not when only links of others do. */
  #some(scope: Mischief['scope'], count: number): Promise<void>[] {
    const victims = Array.from({ length: count }, () =>
      this.#operation(this.#random.pick(kinds), VICTIM, this.#random.between(300, 3_000)).then((ending) =>
        this.#check(ending),
      ),
    )
    if (scope !== 'link') return victims
    const sibling = this.#operation(this.#random.pick(kinds), SIBLING, 10_000).then((ending) => {
      if (ending.error !== undefined)
        this.#violated(`a ${ending.kind} to another address failed: ${inspect(ending.error)}`)
    })
    return [...victims, sibling]
  }

  #check({ kind, error, startedAt, endedAt, topic }: Ending): void {
    const code = error === undefined ? 'ok' : isMessagingError(error) ? error.code : `untyped ${inspect(error)}`
    this.#endings[code] = (this.#endings[code] ?? 0) + 1
    if (!USUAL.has(code)) this.#options.tell?.(`a ${kind} to ${topic} ended ${code}: ${inspect(error)}`)
    if (code.startsWith('untyped'))
      this.#violated(`a ${kind} to ${topic} ended ${code} after ${endedAt - startedAt} ms`)
    if (code === 'OSLO_MESSAGING_CLOSED') this.#violated(`a ${kind} ended as if the driver were closed`)
  }

  async #operation(kind: Kind, topic: string, ms: number): Promise<Ending> {
    const { client } = this.#required(this.#drivers)
    this.#operations += 1
    const id = String(this.#operations)
    const startedAt = performance.now()
    const isLarge = this.#random.next() < 0.1
    const args = { topic, id, padding: isLarge ? 'x'.repeat(200_000) : '' }
    let error: unknown
    try {
      await this.#send(client, kind, topic, args, ms)
      if (kind === 'notification') this.#taken.push(id)
    } catch (caught) {
      error = caught
    }
    const endedAt = performance.now()
    const late = endedAt - startedAt - ms - this.#loop.lateSince(startedAt + ms)
    if (late > TICK_MS) this.#violated(`a ${kind} of ${ms} ms ended ${Math.round(late)} ms after its deadline`)
    return { kind, topic, id, startedAt, endedAt, error }
  }

  async #send(client: Driver, kind: Kind, topic: string, args: Args, ms: number): Promise<void> {
    const deadline = Deadline.after(ms)
    const message = { method: 'm', args }
    if (kind === 'notification') {
      const notification = { context: {}, message: { event_type: 'e', payload: args } as never }
      return await client.sendNotification(new Target({ topic: `${topic}.info` }), notification, {
        version: '2.0',
        retries: null,
        deadline,
      })
    }
    const waitForReply = kind === 'call'
    const target = new Target({ topic, fanout: kind === 'fanout' })
    const reply = await client.send(
      target,
      { context: {}, message },
      {
        waitForReply,
        deadline,
        expiresInMs: waitForReply ? ms : null,
        callMonitorTimeoutMs: null,
        retries: null,
        atLeastOnce: false,
      },
    )
    if (waitForReply && reply?.result !== args.id)
      this.#violated(`the reply to ${args.id} was that of ${String(reply?.result)}`)
  }

  #serve(topic: string, incoming: IncomingRequest): void {
    incoming.acknowledge()
    const { args } = incoming.message as { readonly args?: Partial<Args> }
    this.#isFor(topic, { payload: args })
    void incoming.reply({ result: args?.id ?? null, failure: null })
  }

  #isFor(topic: string, message: Readonly<Record<string, unknown>>): void {
    const found = (message['payload'] as Partial<Args> | undefined)?.topic
    if (found !== topic) this.#violated(`${topic} was handed a message for ${String(found)}`)
  }

  /** While what was tried of late all failed, health is not allowed to say that nothing is wrong. */
  async #noticed(): Promise<void> {
    const { server, client } = this.#required(this.#drivers)
    const statuses = new Set<string>()
    const tries = kinds.map((kind) => this.#operation(kind, VICTIM, 2_000))
    // Blocked is what somebody waits at, so it is looked at while they wait.
    const look = setInterval(() => [server, client].forEach((driver) => statuses.add(driver.health().status)), 50)
    // What is refused by name, for its size for one, needs no word of health beside it.
    const failed = (await Promise.all(tries)).filter(({ error }) => error instanceof MessagingTimeout)
    clearInterval(look)
    if (failed.length === tries.length && [...statuses].every((status) => status === 'ok'))
      this.#violated('nothing works, and health says ok')
  }

  async #recovered(): Promise<void> {
    const { server, client } = this.#required(this.#drivers)
    const startedAt = performance.now()
    let why = ''
    do {
      const ends = await Promise.all(
        [VICTIM, SIBLING].flatMap((topic) =>
          (['call', 'notification'] as const).map((kind) => this.#operation(kind, topic, 2_000)),
        ),
      )
      const failed = ends.find(({ error }) => error !== undefined)
      const unwell = [server, client].map((driver) => driver.health()).find(({ status }) => status !== 'ok')
      if (failed === undefined && unwell === undefined) return
      why = `${failed === undefined ? '' : `${failed.kind}: ${inspect(failed.error)}`} ${unwell === undefined ? '' : JSON.stringify(unwell)}`
      await pause(100)
    } while (performance.now() < startedAt + RECOVERED_WITHIN_MS + this.#loop.lateSince(startedAt))
    this.#violated(`not well again within ${RECOVERED_WITHIN_MS} ms: ${why}`)
    // The rounds that follow have nothing to do with it.
    await this.close()
    this.#taken.length = 0
    await this.open()
  }

  #violated(what: string): void {
    const violation = `seed ${this.#options.seed}, round ${this.#rounds}, ${this.#doing}: ${what}`
    this.#violations.push(violation)
    this.#options.tell?.(violation)
  }

  #required<T>(value: T | undefined): T {
    if (value === undefined) throw new Error('The run is not open')
    return value
  }
}

interface Args {
  readonly topic: string
  readonly id: string
  readonly padding: string
  readonly [other: string]: string
}
