import { emitDiagnostic } from '../diagnostics/channels.ts'
import type { Listener } from '../driver/driver.ts'
import type { Backlog, ComponentHealth } from '../driver/health.ts'
import type { Logger } from '../diagnostics/logger.ts'
import { ClosedError, SerializationError } from '../errors.ts'
import type { Clock } from '../util/clock.ts'
import { createDeferred } from '../util/deferred.ts'
import { errorText } from '../util/text.ts'
import { decodeJson } from '../wire/json.ts'
import { MemoryComponent } from './memory-connection.ts'
import type { MemoryFaultPlan, MemoryRecorder, MessageKind } from './memory-hooks.ts'
import type { MemoryQueue, StoredBody } from './memory-queue.ts'
import { MemorySubscription, type Settlement } from './memory-subscription.ts'

export interface MemoryListenerOptions {
  readonly name: string
  readonly kind: MessageKind
  readonly prefetch: number
  readonly queues: readonly MemoryQueue[]
  readonly clock: Clock
  readonly logger: Logger
  readonly recorder: MemoryRecorder | undefined
  readonly faults: MemoryFaultPlan | undefined
  /** Gives a readable message to core. */
  readonly onBody: (body: StoredBody, settlement: Settlement, queue: MemoryQueue) => void
  /** Called once when it is over, to release what belongs to it. */
  readonly onEnd: () => void
  /** Called when it is closed: until then one that was lost for good shows in health. */
  readonly onClose: () => void
}

/** A subscription of core's to some queues, through cuts of the connection. */
export class MemoryListener implements Listener {
  readonly closed: Promise<void>
  readonly #options: MemoryListenerOptions
  readonly #ended = createDeferred<void>()
  readonly #component: MemoryComponent
  #subscription: MemorySubscription
  #intake = true
  #over = false

  constructor(options: MemoryListenerOptions) {
    this.#options = options
    this.closed = this.#ended.promise
    // Core handles it; used without core, a loss shows in health and diagnostics.
    this.closed.catch(() => undefined)
    this.#component = new MemoryComponent('listener', options.name, options.clock)
    this.#subscription = this.#subscribe()
  }

  get health(): ComponentHealth {
    return this.#component.health
  }

  backlog(): readonly Backlog[] {
    return this.#options.queues.map(({ name, length }) => ({ source: name, waiting: length }))
  }

  async stop(): Promise<void> {
    this.#intake = false
    this.#subscription.stop()
  }

  async close(): Promise<void> {
    const wasOpen = this.#end(new ClosedError('The listener was closed'))
    this.#options.onClose()
    if (!wasOpen) return
    this.#component.enter('closed')
    this.#ended.resolve()
  }

  /** The connection was cut: what is not settled goes back, as a broker does with the channel of a client that is
   *  gone. */
  suspend(): void {
    if (this.#over) return
    this.#subscription.stop()
    const reason = new Error('The connection was cut')
    this.#subscription.giveBack(reason)
    this.#component.enter('recovering', reason)
  }

  resume(): void {
    if (this.#over || this.#component.state !== 'recovering') return
    if (this.#intake) this.#subscription = this.#subscribe()
    else this.#component.enter('consuming')
  }

  /** Lost for good. */
  fail(error: Error): void {
    if (!this.#end(error)) return
    this.#component.enter('failed', error)
    this.#ended.reject(error)
  }

  #end(reason: Error): boolean {
    if (this.#over) return false
    this.#over = true
    this.#intake = false
    this.#subscription.stop()
    this.#subscription.giveBack(reason)
    this.#options.onEnd()
    return true
  }

  #subscribe(): MemorySubscription {
    const { prefetch, queues } = this.#options
    const subscription = new MemorySubscription(prefetch, this.#onEntry)
    subscription.consume(queues)
    this.#component.enter('consuming')
    return subscription
  }

  readonly #onEntry = (queue: MemoryQueue, settlement: Settlement): void => {
    const { faults, kind, clock } = this.#options
    const fault = faults?.onDelivery(kind)
    if (fault === undefined) return this.#deliver(queue, settlement)
    const { message, position, deliveries } = settlement.entry
    if (fault.duplicate === true) queue.putBack({ message, position, deliveries })
    if (fault.drop === true) return settlement.acknowledge()
    if (fault.delayMs === undefined) return this.#deliver(queue, settlement)
    clock.setTimeout(() => {
      if (settlement.isOpen) this.#deliver(queue, settlement)
    }, fault.delayMs)
  }

  #deliver(queue: MemoryQueue, settlement: Settlement): void {
    const { recorder, kind, onBody, logger } = this.#options
    let body: StoredBody
    try {
      body = readBody(settlement.entry.message.text)
    } catch (error) {
      // Settled, told, and the next one is handled.
      emitDiagnostic('oslo-messaging:message-dropped', () => ({
        driver: 'memory',
        source: queue.name,
        reason: 'unreadable',
        error,
        uniqueId: settlement.entry.message.uniqueId,
      }))
      logger.warn('Dropped a message that cannot be read', { queue: queue.name, error: errorText(error) })
      settlement.acknowledge()
      return
    }
    if (recorder !== undefined) {
      const redelivered = settlement.deliveriesBefore > 0
      recorder.record({ type: 'delivery', kind, queue: queue.name, message: body.message, redelivered })
      settlement.onSettled = (outcome) => recorder.record({ type: 'settlement', kind, queue: queue.name, outcome })
    }
    try {
      onBody(body, settlement, queue)
    } catch (error) {
      emitDiagnostic('oslo-messaging:background-error', () => ({ source: `memory ${queue.name}`, error }))
      logger.error('A message callback threw, which it must not', { queue: queue.name, error: errorText(error) })
    }
  }
}

function readBody(text: string): StoredBody {
  const body = decodeJson(text)
  if (!isRecord(body)) throw new SerializationError('The body is not a JSON object')
  const { context, message } = body
  if (!isRecord(context)) throw new SerializationError('The body has no context object')
  if (!isRecord(message)) throw new SerializationError('The body has no message object')
  return { context, message }
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
