import { randomUUID } from 'node:crypto'
import type * as oslo from '@oslo-messaging/core/driver'
import { ClosedError, decodeJson, DeliveryBook, DRIVER_API, emitDiagnostic } from '@oslo-messaging/core/driver'
import { encodeJson, NO_CAPABILITIES, packMessage, ReplyWaiters } from '@oslo-messaging/core/driver'
import { summarizeHealth, unpackMessage } from '@oslo-messaging/core/driver'

export const relayDriver: oslo.DriverDefinition = {
  name: 'relay',
  api: DRIVER_API,
  schemes: ['relay'],
  capabilities: { ...NO_CAPABILITIES, rpc: true, rpcCallMonitoring: true, ordering: 'queue' },
  open: (_url, context) => new RelayDriver(context),
}

/** What a broker would keep: messages by queue, and who takes them in turn. */
interface Reader {
  readonly room: number
  readonly take: (text: string, putBack: () => void) => void
}
class Queue {
  readonly readers = new Set<Reader>()
  readonly #messages: { readonly n: number; readonly text: string }[] = []
  #numbers = 0

  put(text: string, n = (this.#numbers += 1)): void {
    const behind = this.#messages.findIndex((message) => message.n > n)
    this.#messages.splice(behind < 0 ? this.#messages.length : behind, 0, { n, text })
    queueMicrotask(() => this.give())
  }

  give(): void {
    for (const reader of this.readers) {
      if (reader.room < 1) continue
      const message = this.#messages.shift()
      if (message === undefined) return
      // Whoever took one stands behind the others, and the loop comes to it again.
      this.readers.delete(reader)
      this.readers.add(reader)
      reader.take(message.text, () => this.put(message.text, message.n))
    }
  }
}
const queues = new Map<string, Queue>()
const queueOf = (name: string) => queues.get(name) ?? queues.set(name, new Queue()).get(name)!

class RelayDriver implements oslo.Driver {
  readonly #waiters: ReplyWaiters
  readonly #inbox = randomUUID()
  readonly #listeners = new Map<oslo.Listener, oslo.ComponentHealth>()

  constructor({ clock }: oslo.DriverContext) {
    this.#waiters = new ReplyWaiters(clock)
    queueOf(this.#inbox).readers.add({ room: Infinity, take: (text) => this.#onReply(text) })
  }

  async send({ topic, server }: oslo.Target, request: oslo.OutgoingRequest, options: oslo.SendOptions) {
    const { waitForReply, deadline, callMonitorTimeoutMs } = options
    const correlationId = randomUUID()
    const { context, message, headers } = request
    const text = packMessage(context, message, {
      ...(headers && { headers }),
      ...(waitForReply && { replyTo: this.#inbox, correlationId }),
      ...(waitForReply && callMonitorTimeoutMs !== null && { callMonitorTimeout: callMonitorTimeoutMs / 1000 }),
    })
    const publish = async (): Promise<undefined> => {
      deadline.check({ phase: 'publish', delivery: 'not-sent' })
      queueOf(`${topic} ${server ?? ''}`).put(text)
    }
    if (!waitForReply) return await publish()
    return await this.#waiters.call(correlationId, { deadline, callMonitorTimeoutMs }, publish)
  }

  async listen({ topic, server }: oslo.Target, { deadline, prefetch, onMessage }: oslo.ListenOptions) {
    deadline.check({ phase: 'declare', delivery: 'not-sent' })
    const own = [queueOf(`${topic} `), queueOf(`${topic} ${server}`)]
    const book = new DeliveryBook({ prefetch, onRoom: () => own.forEach((queue) => queue.give()) })
    const reader: Reader = {
      get room() {
        return book.room
      },
      take: (text, putBack) =>
        book.add({
          settle: (how) => (how === 'requeue' ? putBack() : undefined),
          deliver: (delivery) => {
            try {
              onMessage(this.#incoming(text, delivery))
            } catch (error) {
              delivery.acknowledge()
              const facts = { driver: 'relay', source: `${topic}`, reason: 'unreadable', error } as const
              emitDiagnostic('oslo-messaging:message-dropped', () => facts)
            }
          },
        }),
    }
    let resolveClosed = (): void => {}
    const closed = new Promise<void>((resolve) => (resolveClosed = resolve))
    const stop = async (): Promise<void> => {
      for (const queue of own) queue.readers.delete(reader)
      book.stop()
    }
    const close = async (): Promise<void> => {
      await stop()
      book.close()
      this.#listeners.delete(listener)
      resolveClosed()
    }
    const listener: oslo.Listener = { closed, stop, close }
    this.#listeners.set(listener, { kind: 'listener', name: `${topic}`, state: 'consuming', sinceMs: Date.now() })
    for (const queue of own) queue.readers.add(reader)
    for (const queue of own) queue.give()
    return listener
  }

  #incoming(text: string, delivery: oslo.OpenDelivery): oslo.IncomingRequest {
    const { context, message, facts } = unpackMessage(text)
    const { replyTo, correlationId: id, callMonitorTimeout = null, headers } = facts
    const answer = async (reply: oslo.RPCReply | null): Promise<boolean> => {
      if (replyTo !== undefined) queueOf(replyTo).put(encodeJson({ id, reply }))
      return replyTo !== undefined
    }
    return {
      context,
      message,
      ...(headers && { headers }),
      expectsReply: replyTo !== undefined,
      callMonitorTimeout,
      acknowledge: () => delivery.acknowledge(),
      requeue: () => delivery.requeue(),
      reply: async (reply) => void (await answer(reply)),
      heartbeat: () => answer(null),
    }
  }

  #onReply(text: string): void {
    const { id, reply } = decodeJson(text) as { readonly id: string; readonly reply: oslo.RPCReply | null }
    if (reply === null ? this.#waiters.heartbeat(id) : this.#waiters.settle(id, reply)) return
    const facts = { driver: 'relay', source: 'replies', reason: 'late-reply', uniqueId: id } as const
    emitDiagnostic('oslo-messaging:message-dropped', () => facts)
  }

  /** Core refuses notifications by name before they get here. */
  async sendNotification(): Promise<never> {
    throw new Error('relay carries RPC only')
  }

  async listenForNotifications(): Promise<never> {
    throw new Error('relay carries RPC only')
  }

  health(): oslo.Health {
    return summarizeHealth([...this.#listeners.values()])
  }

  async close(): Promise<void> {
    this.#waiters.failAll(() => new ClosedError('Closed while the reply was waited for'))
    queues.delete(this.#inbox)
    await Promise.all([...this.#listeners.keys()].map((listener) => listener.close()))
  }
}
