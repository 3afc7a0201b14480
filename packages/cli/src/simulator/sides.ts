import { setTimeout as sleep } from 'node:timers/promises'
import {
  getBatchNotificationListener,
  getNotificationListener,
  getNotifier,
  getRpcClient,
  getRpcServer,
  type MessageServer,
  NotificationResult,
  type NotificationArguments,
  type Transport,
} from '@oslo-messaging/core'
import { nowSeconds, type SimulatorMessage } from './message.ts'
import { MessageCounter } from './statistics.ts'

const BATCH_SIZE = 1000
const BATCH_TIMEOUT_MS = 5000
const EVENT = 'compute.start'
/** After the last client is done, so that its answer is on its way. */
const STOP_AFTER_MS = 1000

/** What a server does with what it gets. */
export interface Serving {
  readonly topic: string
  readonly server: string
  readonly waitMs: number
  readonly requeues: boolean
  readonly counter: MessageCounter
  /** The clients say that they are done (`--sync`). */
  readonly onDone: () => void
}

/** `rpc-server`: answers `info` with the message and the time it came. */
export function rpcServer(transport: Transport, { topic, server, waitMs, counter, onDone }: Serving): MessageServer {
  const clients = new Set<unknown>()
  const endpoint = {
    info: async (_context: object, { message }: { readonly message: SimulatorMessage }): Promise<SimulatorMessage> => {
      const taken = { ...message, server_ts: nowSeconds() }
      counter.add(taken)
      if (waitMs > 0) await sleep(waitMs)
      return taken
    },
    sync_start: (_context: object, { message }: { readonly message: { readonly id: unknown } }): void =>
      void clients.add(message.id),
    sync_done: (_context: object, { message }: { readonly message: { readonly id: unknown } }): void => {
      clients.delete(message.id)
      if (clients.size === 0) setTimeout(onDone, STOP_AFTER_MS)
    },
  }
  return getRpcServer(transport, { topic, server }, [endpoint])
}

/** `notify-server`: takes `info`, and with `requeues` each for the second time only. */
export function notifyServer(transport: Transport, { topic, waitMs, requeues, counter }: Serving): MessageServer {
  const seen = new Set<string>()
  const info = async (...[, , , payload, { message_id: id }]: NotificationArguments) => {
    if (requeues && id !== null && !seen.has(id)) {
      seen.add(id)
      return NotificationResult.REQUEUE
    }
    counter.add({ ...(payload as SimulatorMessage), server_ts: nowSeconds() })
    if (waitMs > 0) await sleep(waitMs)
    return NotificationResult.HANDLED
  }
  return getNotificationListener(transport, [{ topic }], [{ info }], { allowRequeue: requeues })
}

/** `batch-notify-server`: batches of 1000, or of five seconds. */
export function batchNotifyServer(transport: Transport, { topic, waitMs, counter }: Serving): MessageServer {
  const info = async (batch: readonly { readonly payload: unknown }[]): Promise<void> => {
    const at = nowSeconds()
    for (const { payload } of batch) counter.add({ ...(payload as SimulatorMessage), server_ts: at })
    if (waitMs > 0) await sleep(waitMs)
  }
  const batches = { batchSize: BATCH_SIZE, batchTimeoutMs: BATCH_TIMEOUT_MS }
  return getBatchNotificationListener(transport, [{ topic }], [{ info }], batches)
}

/** What one client counts. */
export class ClientCounters {
  readonly sent: MessageCounter = new MessageCounter()
  readonly roundTrip: MessageCounter = new MessageCounter()
  readonly errors: MessageCounter = new MessageCounter()
}

/** One client: sends a message and says how it went. */
export interface SimulatorClient {
  readonly id: number
  readonly counters: ClientCounters
  /** Resolves with the answer; null: there is none. */
  readonly send: (message: SimulatorMessage) => Promise<SimulatorMessage | null>
  begin(): Promise<void>
  end(): Promise<void>
}

/** How an RPC client sends. */
export interface Calling {
  readonly topic: string
  readonly server: string
  readonly fanout: boolean
  readonly casts: boolean
  readonly sync: 'call' | 'fanout' | null
  readonly timeoutMs: number
}

export function rpcClient(
  transport: Transport,
  id: number,
  { topic, server, fanout, casts, sync, timeoutMs }: Calling,
): SimulatorClient {
  const to = { topic, ...(server === '' ? {} : { server }) }
  const client = getRpcClient(transport, { ...to, fanout }, { timeoutMs })
  const tell = async (method: string): Promise<void> => {
    const args = { message: { id } }
    if (sync === 'call') await getRpcClient(transport, to, { timeoutMs }).call({}, method, args)
    else if (sync === 'fanout')
      await getRpcClient(transport, { topic, fanout: true }, { timeoutMs }).cast({}, method, args)
  }
  return {
    id,
    counters: new ClientCounters(),
    send: async (message) => {
      if (!casts && !fanout) return (await client.call({}, 'info', { message })) as SimulatorMessage
      await client.cast({}, 'info', { message })
      return null
    },
    begin: async () => await tell('sync_start'),
    end: async () => await tell('sync_done'),
  }
}

export function notifyClient(transport: Transport, id: number, topic: string, timeoutMs: number): SimulatorClient {
  const notifier = getNotifier(transport, {
    publisherId: `publisher-${id}`,
    driver: 'messagingv2',
    topics: [topic],
    timeoutMs,
  })
  return {
    id,
    counters: new ClientCounters(),
    send: async (message) => {
      await notifier.info({}, EVENT, { ...message })
      return null
    },
    begin: async () => {},
    end: async () => {},
  }
}

/** How many messages a client sends, and how far apart. */
export interface Pace {
  /** null: until the time is over. */
  readonly messages: number | null
  readonly waitMs: number
  readonly texts: readonly string[]
  readonly signal: AbortSignal
}

/** One after the other, until all are sent or the time is over. */
export async function sendAll(client: SimulatorClient, { messages, waitMs, texts, signal }: Pace): Promise<void> {
  const { counters, id } = client
  await client.begin()
  const most = messages ?? Infinity
  for (let seq = 0; seq < most && !signal.aborted; seq += 1) {
    const message: SimulatorMessage = {
      seq,
      cargo: texts[(id + seq) % texts.length] ?? '',
      client_ts: nowSeconds(),
      server_ts: 0,
      return_ts: 0,
    }
    counters.sent.add(message)
    try {
      const answer = await client.send(message)
      if (answer !== null) counters.roundTrip.add({ ...answer, return_ts: nowSeconds() })
    } catch {
      // The figures tell of it, as Python's do.
      counters.errors.add(message)
    }
    if (waitMs > 0) await sleep(waitMs, undefined, { signal }).catch(() => {})
  }
  await client.end()
}
