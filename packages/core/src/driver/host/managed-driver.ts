import { emitDiagnostic } from '../../diagnostics/channels.ts'
import { ClosedError, DriverLoadFailure, isMessagingError, TransportDriverError } from '../../errors.ts'
import type { Target } from '../../target.ts'
import type { TransportURL } from '../../url/transport-url.ts'
import { untilAborted } from '../../util/abort.ts'
import { missingPackage } from '../../util/missing-package.ts'
import { errorText } from '../../util/text.ts'
import type { DriverCapabilities } from '../capabilities.ts'
import type {
  Driver,
  DriverContext,
  DriverDefinition,
  Listener,
  ListenOptions,
  NotificationSource,
  NotifyListenOptions,
  NotifyOptions,
  SendOptions,
} from '../driver.ts'
import type { Backlog, Health } from '../health.ts'
import type { OutgoingNotification, OutgoingRequest, RPCReply } from '../messages.ts'
import { SendGroup } from './send-group.ts'

/** Keeps the books that no driver author has to: opened once, closed once, nothing after close, one kind of error.
 *  Every promise it gives rejects with a MessagingError or with the reason of the caller's signal, whatever the driver
 *  throws. */
export class ManagedDriver {
  readonly name: string
  readonly capabilities: DriverCapabilities
  #driver: Driver
  /** What new subscriptions go over: the driver, or the one that is to replace it. */
  #subscribing: Driver
  /** Drivers that were replaced and are not closed yet. */
  readonly #retiring = new Set<Driver>()
  #closing: Promise<void> | undefined
  #isClosed = false
  #sends: SendGroup
  /** What began before the last flush, as long as some of it is under way. */
  readonly #earlier = new Set<SendGroup>()

  private constructor(definition: DriverDefinition, driver: Driver) {
    this.name = definition.name
    this.capabilities = definition.capabilities
    this.#driver = driver
    this.#subscribing = driver
    this.#sends = new SendGroup(this.#rethrow)
  }

  /** Opens the driver. Rejects with the driver's typed error, DriverLoadFailure when a package it needs is missing, or
   *  TransportDriverError around anything else it throws. */
  static async open(definition: DriverDefinition, url: TransportURL, context: DriverContext): Promise<ManagedDriver> {
    return new ManagedDriver(definition, await openDriver(definition, url, context))
  }

  /** Opens another driver of the same kind and has what subscribes from now on do so over it; what is sent still goes
   *  over the first. Rejects like `open`, and with ClosedError. */
  async replace(definition: DriverDefinition, url: TransportURL, context: DriverContext): Promise<Replacement> {
    const next = await openDriver(definition, url, context)
    const previous = this.#driver
    if (this.#closing !== undefined) {
      await next.close()
      throw this.#closedError()
    }
    this.#subscribing = next
    return {
      commit: async (signal) => {
        this.#driver = next
        await this.#retire(previous, signal)
      },
      undo: async () => {
        this.#subscribing = previous
        await this.#retire(next, AbortSignal.timeout(UNDO_MS))
      },
    }
  }

  /** Calls, casts and notifications that have not settled. */
  get outstanding(): number {
    let count = this.#sends.open
    for (const group of this.#earlier) count += group.open
    return count
  }

  get isClosed(): boolean {
    return this.#isClosed
  }

  send(target: Target, request: OutgoingRequest, options: SendOptions): Promise<RPCReply | undefined> {
    const { signal } = options.deadline
    let sent: Promise<RPCReply | undefined>
    try {
      // Not by way of a function, of which there would be one for each of the thousands that may be under way.
      sent = this.#refusal(signal) ?? this.#driver.send(target, request, options)
    } catch (error) {
      sent = Promise.reject(error)
    }
    return this.#sends.track(sent, signal && this.#rethrowUnless(signal))
  }

  sendNotification(target: Target, notification: OutgoingNotification, options: NotifyOptions): Promise<void> {
    const { signal } = options.deadline
    let sent: Promise<void>
    try {
      sent = this.#refusal(signal) ?? this.#driver.sendNotification(target, notification, options)
    } catch (error) {
      sent = Promise.reject(error)
    }
    return this.#sends.track(sent, signal && this.#rethrowUnless(signal))
  }

  listen(target: Target, options: ListenOptions): Promise<Listener> {
    return this.#subscribe(options.deadline.signal, () => this.#subscribing.listen(target, options))
  }

  listenForNotifications(sources: readonly NotificationSource[], options: NotifyListenOptions): Promise<Listener> {
    return this.#subscribe(options.deadline.signal, () => this.#subscribing.listenForNotifications(sources, options))
  }

  /** Resolves when everything that was sent before has settled; with the number of what has not when `signal` aborts
   *  first. Never rejects. */
  async flush(signal: AbortSignal): Promise<number> {
    if (this.#sends.open > 0) {
      this.#earlier.add(this.#sends)
      this.#sends = new SendGroup(this.#rethrow)
    }
    const groups = [...this.#earlier]
    await untilAborted(Promise.all(groups.map(async (group) => await group.ended())), signal)
    let left = 0
    for (const group of groups) {
      left += group.open
      if (group.open === 0) this.#earlier.delete(group)
    }
    return left
  }

  health(): Health {
    const health = this.#driver.health()
    if (this.#isClosed) return { ...health, status: 'closed' }
    return this.#closing === undefined ? health : { ...health, status: 'draining' }
  }

  /** Refuses what is new from now on and closes the driver once, however often it is called; later calls wait for the
   *  first. */
  close(options: { readonly signal?: AbortSignal } = {}): Promise<void> {
    this.#closing ??= this.#close(options)
    return this.#closing
  }

  async #close(options: { readonly signal?: AbortSignal }): Promise<void> {
    try {
      await Promise.all([this.#driver, ...this.#retiring].map(async (driver) => await driver.close(options)))
    } catch (error) {
      throw unify(this.name, error)
    } finally {
      this.#isClosed = true
    }
  }

  /** Closes a driver once what was sent over it has settled, or the signal aborts. Its end concerns nobody any more. */
  async #retire(driver: Driver, signal: AbortSignal): Promise<void> {
    this.#retiring.add(driver)
    await this.flush(signal)
    try {
      await driver.close({ signal })
    } catch (error) {
      emitDiagnostic('oslo-messaging:background-error', () => ({ source: `${this.name}, replaced`, error }))
    } finally {
      this.#retiring.delete(driver)
    }
  }

  async #subscribe(signal: AbortSignal | undefined, listen: () => Promise<Listener>): Promise<Listener> {
    let listener: Listener
    try {
      listener = await (this.#refusal(signal) ?? listen())
    } catch (error) {
      throw unify(this.name, error, signal)
    }
    if (this.#closing === undefined) return new ManagedListener(this.name, listener)
    await listener.close()
    throw this.#closedError()
  }

  /** Why nothing more may begin; undefined when it may. */
  #refusal(signal: AbortSignal | undefined): Promise<never> | undefined {
    if (this.#closing !== undefined) return Promise.reject(this.#closedError())
    return signal?.aborted ? Promise.reject(signal.reason) : undefined
  }

  /** The same for all who have no signal: one less for each of the thousands that may be under way. */
  readonly #rethrow = (error: unknown): never => {
    throw unify(this.name, error)
  }

  #rethrowUnless(signal: AbortSignal): (error: unknown) => never {
    return (error) => {
      throw unify(this.name, error, signal)
    }
  }

  #closedError(): ClosedError {
    return new ClosedError(`The ${this.name} transport is closed`, { delivery: 'not-sent' })
  }
}

/** Another driver in the place of the one that is in use. */
export interface Replacement {
  /** What is sent from now on goes over it. Resolves when the one before is closed: when what was sent over it has
   *  settled, or `signal` aborts. Never rejects. */
  commit(signal: AbortSignal): Promise<void>
  /** Everything stays as it was. */
  undo(): Promise<void>
}

/** What a driver gets to give up subscriptions that nobody has used. */
const UNDO_MS = 5000

async function openDriver(definition: DriverDefinition, url: TransportURL, context: DriverContext): Promise<Driver> {
  try {
    return await definition.open(url, context)
  } catch (error) {
    throw isMissingModule(error) ? loadFailure(definition.name, error) : unify(definition.name, error)
  }
}

/** A driver's listener whose errors are typed. */
class ManagedListener implements Listener {
  readonly closed: Promise<void>
  readonly #driverName: string
  readonly #listener: Listener

  constructor(driverName: string, listener: Listener) {
    this.#driverName = driverName
    this.#listener = listener
    this.closed = listener.closed.catch((error: unknown) => {
      throw unify(driverName, error)
    })
    // Whoever uses the listener looks at `closed`; until then a rejection must not count as unhandled.
    this.closed.catch(() => {})
  }

  /** Empty for a driver that does not know. */
  backlog(): readonly Backlog[] {
    return this.#listener.backlog?.() ?? []
  }

  async stop(): Promise<void> {
    try {
      await this.#listener.stop()
    } catch (error) {
      throw unify(this.#driverName, error)
    }
  }

  async close(): Promise<void> {
    try {
      await this.#listener.close()
    } catch (error) {
      throw unify(this.#driverName, error)
    }
  }
}

/** What a driver threw, as something the contract allows. */
function unify(driverName: string, error: unknown, signal?: AbortSignal): unknown {
  if (isMessagingError(error)) return error
  if (signal?.aborted && error === signal.reason) return error
  return new TransportDriverError(`${driverName}: ${errorText(error)}`, { cause: error, delivery: 'unknown' })
}

/** Drivers import their client library when they are opened. */
function isMissingModule(error: unknown): error is Error {
  return error instanceof Error && 'code' in error && String(error.code).endsWith('MODULE_NOT_FOUND')
}

function loadFailure(driverName: string, cause: Error): DriverLoadFailure {
  const missing = missingPackage(cause)
  const remedy = missing === undefined ? 'Install the driver again' : `npm install ${missing}`
  return new DriverLoadFailure(
    driverName,
    `The ${driverName} driver lacks a package it needs: ${errorText(cause)}. ${remedy}`,
    { cause },
  )
}
