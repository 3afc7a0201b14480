import type { HistoryPromises } from '@oslo-messaging/conformance/history'
import { readerPromises } from '@oslo-messaging/conformance/history'
import {
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
import type { Journal } from './journal.ts'
import { cargo } from './load.ts'
import type { WorkerPlan } from './worker.ts'

/** What a worker says before anything is sent. */
export interface StageFacts {
  readonly drivers: readonly string[]
  readonly readers: HistoryPromises['readers']
}

/** Where messages go, in a history. */
export const RPC = 'rpc'
export const BUS = 'bus'

/** How long each may take to close. */
const CLOSE_MS = 5000

/** The transports, servers, listeners and clients of one process. */
export class Stage {
  readonly #plan: WorkerPlan
  readonly #conf: MessagingConfig
  readonly #io: Io
  readonly #cargo: string
  readonly #opening: Opening
  readonly #drivers = new Set<string>()
  readonly #readers: Record<string, HistoryPromises['readers'][string]> = {}
  readonly #transports: Transport[] = []
  readonly #servers: MessageServer[] = []
  readonly #senders: (() => Promise<void>)[] = []
  #journal: Journal | undefined
  #turn = 0

  constructor(plan: WorkerPlan, conf: MessagingConfig, io: Io) {
    this.#plan = plan
    this.#conf = conf
    this.#io = io
    this.#cargo = cargo(plan.bytes)
    this.#opening = openingOptions(plan, io, 'oslo-msg simulate')
  }

  /** Everything is up: nothing has been sent. */
  async open(): Promise<StageFacts> {
    const { profile } = this.#plan
    if (profile !== 'notify') await this.#openRpc()
    if (profile !== 'rpc') await this.#openBus()
    return { drivers: [...this.#drivers], readers: this.#readers }
  }

  /** What is told from now on goes there. */
  begin(journal: Journal): void {
    this.#journal = journal
  }

  async send(): Promise<void> {
    const sender = this.#senders[this.#turn % this.#senders.length]
    this.#turn += 1
    await sender?.()
  }

  async close(): Promise<void> {
    const timeoutMs = CLOSE_MS
    await this.#each(this.#servers, async (server) => {
      await server.stop({ timeoutMs })
      await server.wait({ timeoutMs })
    })
    await this.#each(this.#transports, async (transport) => await transport.close({ timeoutMs }))
  }

  /** What cannot be closed is told, and keeps nothing else open. */
  async #each<T>(all: readonly T[], close: (one: T) => Promise<unknown>): Promise<void> {
    for (const closed of await Promise.allSettled(all.map(close)))
      if (closed.status === 'rejected')
        this.#io.err(`oslo-msg: while tidying up: ${printable(errorText(closed.reason))}\n`)
  }

  async #openRpc(): Promise<void> {
    const { rpcUrl: url, servers, sends, timeoutMs, topic } = this.#plan
    const open = async (): Promise<Transport> =>
      this.#add(await getRpcTransport(this.#conf, { url, ...this.#opening }), 'rpc')
    for (const index of servers) {
      const server = `server-${index + 1}`
      const take = (
        _context: object,
        { n }: { readonly n: number },
        call: { readonly redelivered: boolean | undefined },
      ): number => {
        this.#journal?.handled(n, 'servers', server, call.redelivered === true)
        return n
      }
      await this.#start(getRpcServer(await open(), { topic, server }, [{ take }]))
    }
    this.#readers['servers'] = {
      places: [RPC],
      delivery: 'at-least-once',
      repeats: 'marked',
      ordered: false,
      settles: false,
    }
    if (!sends) return
    const client = getRpcClient(await open(), { topic }, { timeoutMs })
    this.#senders.push(async () => {
      const one = this.#journal?.begin(RPC, timeoutMs)
      try {
        const answer = await client.call({}, 'take', { n: one?.message, cargo: this.#cargo })
        one?.resolved(answer)
      } catch (error) {
        one?.rejected(error)
      }
    })
  }

  async #openBus(): Promise<void> {
    const { notifyUrl: url, servers, members, sends, timeoutMs } = this.#plan
    const topic = notificationTopicOf(this.#plan.topic)
    const open = async (): Promise<Transport> =>
      this.#add(await getNotificationTransport(this.#conf, { url, ...this.#opening }), 'notifications')
    let transport: Transport | undefined
    for (const index of servers) {
      const info = (
        _c: object,
        _p: unknown,
        _e: unknown,
        payload: unknown,
        _m: unknown,
        delivery: { readonly redelivered?: boolean },
      ): void => {
        const { n } = payload as { readonly n: number }
        this.#journal?.handled(n, 'listeners', `listener-${index + 1}`, delivery.redelivered === true)
      }
      transport = await open()
      await this.#start(getNotificationListener(transport, [{ topic }], [{ info }]))
    }
    if (sends || transport === undefined) transport = await open()
    const promised = readerPromises(transport.capabilities, [BUS], { members })
    // With two listeners the order of one queue is shared out between them.
    this.#readers['listeners'] = { ...promised, ordered: false, settles: false }
    if (!sends) return
    const notifier = getNotifier(transport, {
      publisherId: 'oslo-msg',
      driver: 'messagingv2',
      topics: [topic],
      timeoutMs,
    })
    this.#senders.push(async () => {
      const one = this.#journal?.begin(BUS, timeoutMs)
      try {
        await notifier.info({}, 'oslo-msg.simulate', { n: one?.message, cargo: this.#cargo })
        one?.resolved()
      } catch (error) {
        one?.rejected(error)
      }
    })
  }

  #add(transport: Transport, what: string): Transport {
    this.#transports.push(transport)
    this.#drivers.add(`${what} over ${transport.driverName}`)
    return transport
  }

  async #start(server: MessageServer): Promise<void> {
    this.#servers.push(server)
    await server.start({ timeoutMs: this.#plan.timeoutMs, signal: this.#io.signal })
  }
}

/** Where the notifications of a run go. */
export function notificationTopicOf(topic: string): string {
  return `${topic}-notifications`
}
