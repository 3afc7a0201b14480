import { randomUUID } from 'node:crypto'
import { emitDiagnostic } from '../diagnostics/channels.ts'
import { ADVICE, type Logger, useLogger } from '../diagnostics/logger.ts'
import type { MessageContext, NotificationMessage } from '../driver/messages.ts'
import { NoOpSerializer } from '../serializer/no-op-serializer.ts'
import { checkSerializer, type Serializer } from '../serializer/serializer.ts'
import { isPromiseLike } from '../util/promise.ts'
import { checkHeaders, type MessageHeaders } from '../transport/check-headers.ts'
import { requireTransport } from '../transport/check-target.ts'
import { intercept, type NotifyOperation } from '../transport/interceptor.ts'
import { busOf } from '../transport/bus.ts'
import type { Transport } from '../transport/transport.ts'
import {
  checkChoice,
  checkFunction,
  checkNames,
  checkOptions,
  checkRetry,
  checkSignal,
  checkTimeout,
  kindOf,
  type OptionNames,
} from '../util/check.ts'
import { Deadline } from '../util/deadline.ts'
import { errorText } from '../util/text.ts'
import { createNotificationDrivers } from './driver-table.ts'
import type { NotificationDriver, NotificationDriverFactory, NotificationSendOptions } from './notification-driver.ts'
import type { Priority } from './priority.ts'
import { CONTEXT_REDACTIONS, type ContextRedaction, redactContext } from './redact-context.ts'
import { runAll } from './run-all.ts'
import { timestampText } from './timestamp.ts'

/** Settings of a notifier; what is left out comes from `[oslo_messaging_notifications]`. */
export interface NotifierOptions {
  /** Who speaks: `compute.host1`. Default null. */
  readonly publisherId?: string | null | undefined
  /** Notification driver, or several, instead of the configured ones: `messaging`, `messagingv2`, `log`, `noop`,
   *  `routing`, `test`. */
  readonly driver?: string | readonly string[] | undefined
  /** Topics instead of the configured ones; each gets a copy of every notification. */
  readonly topics?: readonly string[] | undefined
  readonly serializer?: Serializer | undefined
  /** Attempts after the first: 0 none, null or -1 no limit but the time. Default: the configured `retry`. */
  readonly retry?: number | null | undefined
  /** Most time one notification may take, milliseconds; null: no limit. Default: `[DEFAULT] rpc_response_timeout`. */
  readonly timeoutMs?: number | null | undefined
  /** `reject` (default): a notification that could not be delivered rejects. `log`: it is logged and reported on the
   *  diagnostics channel, as oslo does.
   *  What the serializer throws rejects either way. */
  readonly onError?: 'reject' | 'log' | undefined
  /** The key under which a notification is kept in order, from what is known of it; undefined: none. A call's own
   *  `orderingKey` goes before it. What it throws rejects the notification. */
  readonly orderingKey?: ((ctxt: object | null, eventType: string, payload: unknown) => string | undefined) | undefined
  /** Which part of the request context is sent along. */
  readonly contextRedaction?: ContextRedaction | undefined
  /** Further drivers by the name they have in the configuration. */
  readonly drivers?: Readonly<Record<string, NotificationDriverFactory>> | undefined
  /** Default: the transport's. The driver `log` writes here. */
  readonly logger?: Logger | undefined
}

/** Limits and wishes of one notification. */
export interface NotifyCallOptions {
  /** Aborting it ends the notification with the signal's reason, whatever `onError` says. */
  readonly signal?: AbortSignal | undefined
  /** Instead of the notifier's. */
  readonly timeoutMs?: number | null | undefined
  /** Trace context and the like: reaches endpoints as `delivery.headers`, and changes nothing in the message. */
  readonly headers?: MessageHeaders | undefined
  /** Notifications of one key are handled in the order they were sent, one at a time, where the driver delivers the
   *  key: kafka (the key of the record) and memory. Elsewhere the order is that of the queue, whatever the key. */
  readonly orderingKey?: string | undefined
}

const OPTIONS: OptionNames<NotifierOptions> = {
  publisherId: true,
  driver: true,
  topics: true,
  serializer: true,
  retry: true,
  timeoutMs: true,
  onError: true,
  orderingKey: true,
  contextRedaction: true,
  drivers: true,
  logger: true,
}

const PREPARE_OPTIONS: OptionNames<Pick<NotifierOptions, 'publisherId' | 'retry'>> = { publisherId: true, retry: true }

const CALL_OPTIONS: OptionNames<NotifyCallOptions> = {
  signal: true,
  timeoutMs: true,
  headers: true,
  orderingKey: true,
}

/** What a notifier and those prepared from it have in common. */
export interface SharedParts {
  readonly transport: Transport
  readonly drivers: ReadonlyMap<string, NotificationDriver>
  readonly topics: readonly string[]
  /** The same drivers, in their order. */
  readonly destinations: readonly NotificationDriver[]
  readonly serializer: Serializer
  readonly timeoutMs: number | null
  readonly onError: 'reject' | 'log'
  readonly orderingKey: NotifierOptions['orderingKey']
  readonly redaction: ContextRedaction
  readonly logger: Logger
}

/** Sends notifications: what happened, for whoever is interested, stored even when nobody listens yet.
 *
 *  ```ts
 *  const notifier = new Notifier(bus, { publisherId: 'compute.host1' })
 *  await notifier.info(ctxt, 'compute.instance.create.end', { instance_id: id })
 *  ```
 *
 *  The promise resolves when every driver has done its part, which for `messaging` and `messagingv2` means that the
 *  broker owns a copy for each topic.
 *  It rejects when one could not (after all others had their turn), because a resolved promise means delivered;
 *  `onError: 'log'` gives oslo's behaviour instead.
 *  With no driver configured notifications go nowhere, as in oslo, which is warned about once. Source:
 *  oslo_messaging/notify/notifier.py. */
export class Notifier {
  readonly publisherId: string | null
  /** Attempts after the first; null: no limit but the time. */
  readonly retries: number | null
  readonly #shared: SharedParts

  /** `shared` is for `prepare`.
   *  Throws ConfigurationError for unknown drivers or wrong routing rules, UnsupportedCapability when the transport
   *  carries no notifications, TypeError for options no notifier has. */
  constructor(transport: Transport, options: NotifierOptions = {}, shared?: SharedParts) {
    requireTransport(transport, 'A notifier')
    checkOptions('A notifier', options, OPTIONS)
    const { publisherId = null, retry = transport.conf.get('oslo_messaging_notifications', 'retry') } = options
    if (publisherId !== null && typeof publisherId !== 'string')
      throw new TypeError(`publisherId must be text or null, not ${kindOf(publisherId)}`)
    this.publisherId = publisherId
    this.retries = checkRetry(retry)
    this.#shared = shared ?? createSharedParts(transport, options)
  }

  /** A notifier with another publisher or retry that shares the drivers; what is left out stays. */
  prepare(changes: { readonly publisherId?: string | null; readonly retry?: number | null }): Notifier {
    checkOptions('prepare', changes, PREPARE_OPTIONS)
    const { publisherId = this.publisherId, retry = this.retries } = changes
    return new Notifier(this.#shared.transport, { publisherId, retry }, this.#shared)
  }

  /** False only when `noop` is the one driver: then nothing needs to be collected for a payload. True with none, as in
   *  oslo. */
  isEnabled(): boolean {
    const { drivers } = this.#shared
    return !(drivers.size === 1 && drivers.has('noop'))
  }

  audit(ctxt: object | null, eventType: string, payload: unknown, options?: NotifyCallOptions): Promise<void> {
    return this.#notify(ctxt, eventType, payload, 'audit', options)
  }

  debug(ctxt: object | null, eventType: string, payload: unknown, options?: NotifyCallOptions): Promise<void> {
    return this.#notify(ctxt, eventType, payload, 'debug', options)
  }

  info(ctxt: object | null, eventType: string, payload: unknown, options?: NotifyCallOptions): Promise<void> {
    return this.#notify(ctxt, eventType, payload, 'info', options)
  }

  warn(ctxt: object | null, eventType: string, payload: unknown, options?: NotifyCallOptions): Promise<void> {
    return this.#notify(ctxt, eventType, payload, 'warn', options)
  }

  /** The same as `warn`. */
  warning(ctxt: object | null, eventType: string, payload: unknown, options?: NotifyCallOptions): Promise<void> {
    return this.#notify(ctxt, eventType, payload, 'warn', options)
  }

  error(ctxt: object | null, eventType: string, payload: unknown, options?: NotifyCallOptions): Promise<void> {
    return this.#notify(ctxt, eventType, payload, 'error', options)
  }

  critical(ctxt: object | null, eventType: string, payload: unknown, options?: NotifyCallOptions): Promise<void> {
    return this.#notify(ctxt, eventType, payload, 'critical', options)
  }

  /** For small events that come often, as meters send them. */
  sample(ctxt: object | null, eventType: string, payload: unknown, options?: NotifyCallOptions): Promise<void> {
    return this.#notify(ctxt, eventType, payload, 'sample', options)
  }

  /** Not `async`, nor is what it calls for the usual serializer: each wrapper lives as long as the notification is on
   *  its way, and thousands may be. */
  #notify(
    ctxt: object | null,
    eventType: string,
    payload: unknown,
    priority: Priority,
    options: NotifyCallOptions = {},
  ): Promise<void> {
    try {
      const { transport, destinations, topics, timeoutMs } = this.#shared
      checkOptions('A notification', options, CALL_OPTIONS)
      checkInput(ctxt, eventType)
      const { signal } = options
      checkSignal(signal)
      checkTimeout('timeoutMs', options.timeoutMs)
      const headers = checkHeaders(options.headers)
      const deadline = Deadline.after(options.timeoutMs === undefined ? timeoutMs : options.timeoutMs, {
        signal,
        clock: transport.clock,
      })
      signal?.throwIfAborted()
      const { orderingKey = this.#shared.orderingKey?.(ctxt, eventType, payload) } = options
      checkOrderingKey(orderingKey)
      if (destinations.length === 0) return Promise.resolve()
      const { notify: interceptions } = busOf(transport).interceptors
      const send = { deadline, retries: this.retries, headers, orderingKey }
      if (interceptions === undefined) return this.#serialize(ctxt, eventType, payload, priority, send)
      const operation: NotifyOperation = {
        kind: 'notify',
        driver: transport.driverName,
        topics,
        priority,
        publisherId: this.publisherId,
        eventType,
        payload,
        context: ctxt ?? {},
        headers: { ...headers },
        orderingKey,
        deadline,
      }
      return intercept(interceptions, operation, async () => {
        checkInput(operation.context, eventType)
        const changed = checkHeaders(operation.headers)
        await this.#serialize(operation.context, eventType, payload, priority, { ...send, headers: changed })
      })
    } catch (error) {
      return Promise.reject(error)
    }
  }

  #serialize(
    ctxt: object | null,
    eventType: string,
    payload: unknown,
    priority: Priority,
    send: NotificationSendOptions,
  ): Promise<void> {
    const { serializer, redaction } = this.#shared
    // The serializer sees the context as it is; what travels is redacted first.
    const entity = serializer.serializeEntity(ctxt ?? {}, payload)
    if (isPromiseLike(entity)) return this.#sendLater(ctxt, eventType, entity, priority, send)
    const context = serializer.serializeContext(redactContext(ctxt, redaction))
    if (isPromiseLike(context)) return this.#sendLater(ctxt, eventType, entity, priority, send, context)
    return this.#send(context, this.#message(eventType, entity, priority), priority, send)
  }

  /** For serializers that take their time. */
  async #sendLater(
    ctxt: object | null,
    eventType: string,
    entity: unknown,
    priority: Priority,
    send: NotificationSendOptions,
    serialized?: PromiseLike<MessageContext>,
  ): Promise<void> {
    const { serializer, redaction } = this.#shared
    const payload = await entity
    const context = await (serialized ?? serializer.serializeContext(redactContext(ctxt, redaction)))
    await this.#send(context, this.#message(eventType, payload, priority), priority, send)
  }

  #message(eventType: string, payload: unknown, priority: Priority): NotificationMessage {
    return {
      message_id: randomUUID(),
      publisher_id: this.publisherId,
      event_type: eventType,
      priority: priority.toUpperCase(),
      payload,
      timestamp: timestampText(this.#shared.transport.clock.wallTime()),
    }
  }

  #send(
    context: MessageContext,
    message: NotificationMessage,
    priority: Priority,
    send: NotificationSendOptions,
  ): Promise<void> {
    const { destinations, onError, logger } = this.#shared
    const { signal } = send.deadline
    const tasks = destinations.map((driver) => () => driver.notify(context, message, priority, send))
    const sent = runAll(
      tasks,
      logger,
      `Notification ${message.event_type} could not be delivered by one of its drivers`,
    )
    if (signal === undefined && onError === 'reject') return sent
    return sent.catch((error: unknown) => {
      signal?.throwIfAborted()
      if (onError === 'reject') throw error
      logger.error(`Notification ${message.event_type} could not be delivered: ${errorText(error)}`, {
        messageId: message.message_id,
        error,
      })
      emitDiagnostic('oslo-messaging:background-error', () => ({ source: 'notifier', error }))
    })
  }
}

/** A notifier over the transport: `new Notifier(transport, options)` in the words of everything else. */
export function getNotifier(transport: Transport, options: NotifierOptions = {}): Notifier {
  return new Notifier(transport, options)
}

/** What compilers of callers without types did not see. */
function checkInput(ctxt: unknown, eventType: unknown): void {
  if (typeof ctxt !== 'object' || Array.isArray(ctxt)) {
    if (ctxt !== undefined) throw new TypeError(`The request context must be an object or null, not ${kindOf(ctxt)}`)
  }
  if (typeof eventType !== 'string')
    throw new TypeError(`eventType must be text such as 'compute.instance.create.end', not ${kindOf(eventType)}`)
}

function checkOrderingKey(key: unknown): void {
  if (key === undefined || (typeof key === 'string' && key !== '')) return
  throw new TypeError(
    `orderingKey must be a text such as 'instance-17', not ${key === '' ? 'empty text' : kindOf(key)}`,
  )
}

function createSharedParts(transport: Transport, options: NotifierOptions): SharedParts {
  const { conf } = transport
  const { serializer = new NoOpSerializer(), onError = 'reject', orderingKey } = options
  const logger = options.logger === undefined ? transport.logger : useLogger(options.logger)
  const {
    driver = conf.get('oslo_messaging_notifications', 'driver'),
    topics = conf.get('oslo_messaging_notifications', 'topics'),
    timeoutMs,
    contextRedaction: redaction = 'copy-or-known-keys',
  } = options
  checkSerializer(serializer)
  checkFunction('orderingKey', orderingKey)
  checkChoice('onError', onError, ['reject', 'log'])
  checkChoice('contextRedaction', redaction, CONTEXT_REDACTIONS)
  checkTimeout('timeoutMs', timeoutMs)
  const names = typeof driver === 'string' ? [driver] : driver
  checkNames('driver', names, "['messagingv2']")
  checkNames('topics', topics, "['notifications']")
  checkOptions('drivers', options.drivers)
  busOf(transport).warnUnlessKind('notification', 'A notifier')
  const drivers = createNotificationDrivers(names, { transport, topics, logger }, options.drivers)
  if (drivers.size === 0)
    logger.warn(
      'A notifier without a driver sends nothing: set [oslo_messaging_notifications] driver = messagingv2, or noop if nothing is meant',
      ADVICE,
    )
  return {
    transport,
    drivers,
    topics,
    destinations: [...drivers.values()],
    serializer,
    get timeoutMs() {
      return timeoutMs === undefined ? transport.conf.get('DEFAULT', 'rpc_response_timeout') * 1000 : timeoutMs
    },
    onError,
    orderingKey,
    redaction,
    logger,
  }
}
