import type { MessagingConfig } from '../config/messaging-config.ts'
import type { BrokerFacts, BrokerFinding, DriverAdmin, QueueReport, RedriveReport } from '../driver/driver-admin.ts'
import type { DriverDefinition } from '../driver/driver.ts'
import { UnsupportedCapability } from '../errors.ts'
import type { TransportURL } from '../url/transport-url.ts'
import type { Clock } from '../util/clock.ts'
import { checkOptions, type OptionNames } from '../util/check.ts'
import { Deadline } from '../util/deadline.ts'
import { findDriver, isSet, type TransportOptions } from './open-transport.ts'

/** How `getBrokerAdmin` finds the broker. */
export interface BrokerAdminOptions extends Omit<TransportOptions, 'allowedRemoteExmods' | 'remoteErrors'> {
  /** Whose `transport_url` is used when no `url` is given: `[DEFAULT]`, or that of notifications, which falls back to
   *  it. Default `default`. */
  readonly section?: 'default' | 'notifications' | undefined
}

interface StepOptions {
  /** Milliseconds for the whole of it. Default: no limit. */
  readonly timeoutMs?: number | undefined
  readonly signal?: AbortSignal | undefined
}

/** Which dead letters to move. */
export interface RedriveOptions extends StepOptions {
  /** Everything goes there instead of where it came from. */
  readonly to?: string | null | undefined
  /** Most letters moved. Default: all that are there. */
  readonly limit?: number | null | undefined
  /** Only says what would be moved. Default false. */
  readonly dryRun?: boolean | undefined
}

/** How to ask for the queues. */
export interface QueuesOptions extends StepOptions {
  /** Base URL of the broker's management interface. Default: where it usually is. */
  readonly management?: string | null | undefined
}

/** How long a check may take. */
export type CheckOptions = StepOptions

/** How long an examination may take. */
export type ExamineOptions = StepOptions

/** How long removing a pool may take. */
export type RemovePoolOptions = StepOptions

const ADMIN_OPTIONS: OptionNames<BrokerAdminOptions> = {
  section: true,
  url: true,
  registry: true,
  logger: true,
  clock: true,
  random: true,
  credentials: true,
  program: true,
}
const STEP_OPTIONS: OptionNames<StepOptions> = { timeoutMs: true, signal: true }
const REDRIVE_OPTIONS: OptionNames<RedriveOptions> = { ...STEP_OPTIONS, to: true, limit: true, dryRun: true }
const QUEUES_OPTIONS: OptionNames<QueuesOptions> = { ...STEP_OPTIONS, management: true }

/** What an operator can do to a broker: the door behind `oslo-msg`. */
export class BrokerAdmin {
  /** The broker; prints without its secrets. */
  readonly url: TransportURL
  readonly #definition: DriverDefinition
  readonly #admin: DriverAdmin
  readonly #clock: Clock

  /** Use `getBrokerAdmin`. */
  constructor(url: TransportURL, definition: DriverDefinition, admin: DriverAdmin, clock: Clock) {
    this.url = url
    this.#definition = definition
    this.#admin = admin
    this.#clock = clock
  }

  /** Moves the dead letters of a queue, topic or address back to where they failed; `source` is its name at the broker,
   *  or that of the dead-letter queue. None is lost: the copy is confirmed before the letter goes. Rejects with
   *  UnsupportedCapability, or with what ended the run early, which says how many were moved. */
  async redrive(source: string, options: RedriveOptions = {}): Promise<RedriveReport> {
    checkOptions('redrive', options, REDRIVE_OPTIONS)
    const { to = null, limit = null, dryRun = false } = options
    if (source === '') throw new TypeError('redrive needs the name of a queue, topic or address')
    if (limit !== null && !(Number.isInteger(limit) && limit > 0))
      throw new TypeError(`limit must be a whole number above 0, not ${limit}`)
    if (this.#admin.redrive === undefined) throw this.#cannot('redrive')
    return await this.#admin.redrive({ source, to, limit, dryRun, deadline: this.#deadline(options) })
  }

  /** The queues of the URL's virtual host, sorted by name. Rejects with UnsupportedCapability, or when the broker
   *  cannot be asked. */
  async queues(options: QueuesOptions = {}): Promise<readonly QueueReport[]> {
    checkOptions('queues', options, QUEUES_OPTIONS)
    if (this.#admin.queues === undefined) throw this.#cannot('queues')
    const found = await this.#admin.queues({
      management: options.management ?? null,
      deadline: this.#deadline(options),
    })
    return found.toSorted((one, other) => (one.name < other.name ? -1 : 1))
  }

  /** Removes a pool of notification listeners and what is kept for it. Resolves false when there is none. Rejects while
   *  somebody listens to it, and with UnsupportedCapability. */
  async removePool(pool: string, options: RemovePoolOptions = {}): Promise<boolean> {
    checkOptions('removePool', options, STEP_OPTIONS)
    if (typeof pool !== 'string' || pool === '') throw new TypeError('removePool needs the name of a pool')
    if (this.#admin.removePool === undefined) throw this.#cannot('removal of pools')
    return await this.#admin.removePool({ pool, deadline: this.#deadline(options) })
  }

  /** Connects and logs in, changes nothing, and resolves with what the broker says of itself. Rejects with why it takes
   *  nobody, and with UnsupportedCapability. */
  async check(options: CheckOptions = {}): Promise<BrokerFacts> {
    checkOptions('check', options, STEP_OPTIONS)
    if (this.#admin.check === undefined) throw this.#cannot('check')
    return await this.#admin.check({ deadline: this.#deadline(options) })
  }

  /** What messages to these topics need of the broker, and whether they have it; nothing where the driver has no
   *  questions of its own. Changes nothing. */
  async examine(topics: readonly string[], options: ExamineOptions = {}): Promise<readonly BrokerFinding[]> {
    checkOptions('examine', options, STEP_OPTIONS)
    return (await this.#admin.examine?.({ topics, deadline: this.#deadline(options) })) ?? []
  }

  /** Whether `removePool` is there. */
  get removesPools(): boolean {
    return this.#admin.removePool !== undefined
  }

  /** Disconnects. Idempotent. */
  async close(): Promise<void> {
    await this.#admin.close()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  #deadline({ timeoutMs, signal }: StepOptions): Deadline {
    return Deadline.after(timeoutMs ?? null, { signal, clock: this.#clock })
  }

  #cannot(operation: string): UnsupportedCapability {
    return unsupported(this.#definition, operation, offersOf(this.#admin))
  }
}

/** Finds the driver of the configured URL, as transports do, and opens its door for operators.
 *  Rejects: UnsupportedCapability when the driver has none; InvalidTransportURL, DriverLoadFailure or
 *  ConfigurationError as `getRpcTransport` does. */
export async function getBrokerAdmin(conf: MessagingConfig, options: BrokerAdminOptions = {}): Promise<BrokerAdmin> {
  checkOptions('getBrokerAdmin', options, ADMIN_OPTIONS)
  const { section = 'default', ...rest } = options
  const configured = (): string | null => {
    const own = section === 'notifications' ? conf.get('oslo_messaging_notifications', 'transport_url') : null
    return isSet(own) ? own : conf.get('DEFAULT', 'transport_url')
  }
  const { url, definition, context } = await findDriver(conf, rest, configured)
  if (definition.administer === undefined) throw unsupported(definition, 'administration', [])
  const admin = await definition.administer(url, context)
  return new BrokerAdmin(url, definition, admin, context.clock)
}

const OPERATIONS = ['redrive', 'queues'] as const
type Operation = (typeof OPERATIONS)[number]

const offersOf = (admin: DriverAdmin): Operation[] => OPERATIONS.filter((name) => admin[name] !== undefined)

function unsupported({ name }: DriverDefinition, wanted: string, offers: readonly string[]): UnsupportedCapability {
  const offered = offers.length === 0 ? 'nothing for operators' : offers.join(' and ')
  return new UnsupportedCapability(wanted, `The ${name} driver has no ${wanted}; it offers ${offered}`)
}

/** The first name of `getBrokerAdmin`. */
export const openBrokerAdmin: typeof getBrokerAdmin = getBrokerAdmin
