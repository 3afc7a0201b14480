import { AsyncLocalStorage } from 'node:async_hooks'
import { basename } from 'node:path'
import type { Messaging, Notifier, NotifierOptions, Priority } from '@oslo-messaging/core'

/** Settings of `LogNotifications`; everything may be left out. */
export interface LogNotificationsOptions extends Pick<
  NotifierOptions,
  'publisherId' | 'driver' | 'topics' | 'serializer'
> {
  /** Most notifications under way; further records are passed over. Default 1000. */
  readonly limit?: number
}

/** The payload of `logrecord`: the fields of Python's records. null: JavaScript does not know it. */
export interface LogPayload {
  readonly name: string | null
  /** As in Python: 10 debug, 20 info, 30 warning, 40 error, 50 critical. */
  readonly levelno: number
  readonly levelname: string
  readonly exc_info: string | null
  readonly pathname: null
  readonly lineno: null
  readonly msg: string
  readonly funcName: null
  readonly thread: null
  readonly processName: string
  readonly process: number
  /** What else the record holds. */
  readonly extra: Readonly<Record<string, unknown>> | null
}

/** pino's levels: priority, and Python's number and name. Others (trace, own ones) are passed over. */
const LEVELS: ReadonlyMap<unknown, readonly [Priority, number, string]> = new Map([
  [20, ['debug', 10, 'DEBUG']],
  [30, ['info', 20, 'INFO']],
  [40, ['warn', 30, 'WARNING']],
  [50, ['error', 40, 'ERROR']],
  [60, ['critical', 50, 'CRITICAL']],
])
const DEFAULT_LIMIT = 1000

type PinoRecord = Readonly<Record<string, unknown>>

/** Set while a record is being sent: what that itself logs must not be sent, too. */
const sending = new AsyncLocalStorage<true>()

/** Turns records into notifications, never into more records. */
abstract class RecordSender {
  readonly #limit: number
  #notifier: Notifier | undefined
  #underWay = 0

  constructor(limit: number) {
    this.#limit = limit
  }

  /** From now on records are sent over these buses. With the notification driver `log` nothing is: each notification
   *  would be a record again. */
  connect(messaging: Messaging): void {
    const drivers: readonly string[] = messaging.conf.get('oslo_messaging_notifications', 'driver')
    this.#notifier = drivers.includes('log') ? undefined : messaging.notifier(this.notifierOptions())
  }

  /** Called by pino with each line. Lines that are no record of pino are passed over, as all are before `connect`. */
  write(line: string): void {
    const notifier = this.#notifier
    if (notifier === undefined || sending.getStore() === true || this.#underWay >= this.#limit) return
    const record = parse(line)
    const task = record && sending.run(true, () => this.send(notifier, record))
    if (task === undefined) return
    this.#underWay += 1
    void this.#settled(task)
  }

  /** A record that cannot be sent is passed over: who logs cannot act on it, and saying so in the log would begin a
   *  loop. */
  async #settled(task: Promise<void>): Promise<void> {
    await Promise.allSettled([task])
    this.#underWay -= 1
  }

  protected abstract notifierOptions(): NotifierOptions
  protected abstract send(notifier: Notifier, record: PinoRecord): Promise<void> | undefined
}

/** A destination for pino that sends each record as a `logrecord` notification of its priority:
 *  `pino({}, multistream([{ stream: process.stdout }, { stream: logNotifications }]))`.
 *  Source: oslo_messaging/notify/log_handler.py. */
export class LogNotifications extends RecordSender {
  readonly #options: Omit<LogNotificationsOptions, 'limit'>

  constructor({ limit = DEFAULT_LIMIT, ...options }: LogNotificationsOptions = {}) {
    super(limit)
    this.#options = options
  }

  protected override notifierOptions(): NotifierOptions {
    return this.#options
  }

  protected override send(notifier: Notifier, record: PinoRecord): Promise<void> | undefined {
    const found = LEVELS.get(record['level'])
    if (found === undefined) return undefined
    const [priority, levelno, levelname] = found
    const { level: _level, time: _time, hostname: _hostname, pid, name, msg, err, ...extra } = record
    const payload: LogPayload = {
      name: typeof name === 'string' ? name : null,
      levelno,
      levelname,
      exc_info: stackOf(err),
      pathname: null,
      lineno: null,
      msg: messageOf(msg),
      funcName: null,
      thread: null,
      processName: basename(process.argv[1] ?? 'node'),
      process: typeof pid === 'number' ? pid : process.pid,
      extra: Object.keys(extra).length === 0 ? null : extra,
    }
    return notifier[priority](null, 'logrecord', payload)
  }
}

/** A destination for pino that sends records of errors, and of what is worse, as `error_notification`, with the message
 *  alone and from `error.publisher`. Source: oslo_messaging/notify/logger.py, PublishErrorsHandler. */
export class ErrorNotifications extends RecordSender {
  constructor() {
    super(DEFAULT_LIMIT)
  }

  protected override notifierOptions(): NotifierOptions {
    return { publisherId: 'error.publisher' }
  }

  protected override send(notifier: Notifier, { level, msg }: PinoRecord): Promise<void> | undefined {
    if (typeof level !== 'number' || level < 50) return undefined
    return notifier.error({}, 'error_notification', { error: messageOf(msg) })
  }
}

function parse(line: string): PinoRecord | undefined {
  try {
    const value: unknown = JSON.parse(line)
    return typeof value === 'object' && value !== null ? (value as PinoRecord) : undefined
  } catch {
    // Another stream's line, or a formatter's: not a record.
    return undefined
  }
}

function messageOf(msg: unknown): string {
  return typeof msg === 'string' ? msg : ''
}

function stackOf(error: unknown): string | null {
  if (typeof error !== 'object' || error === null || !('stack' in error)) return null
  return typeof error.stack === 'string' ? error.stack : null
}
