import { randomUUID } from 'node:crypto'
import { type Command, Option } from 'commander'
import {
  type BrokerAdmin,
  getBrokerAdmin,
  getNotificationListener,
  type NotificationArguments,
  type NotificationEndpoint,
  type Priority,
  type Transport,
} from '@oslo-messaging/core'
import { openingOptions, withNotifications } from '../broker/connect.ts'
import { after, interrupted } from '../broker/interrupted.ts'
import { prioritiesOf, readFilter } from '../broker/notification-choice.ts'
import { addBrokerOptions, type BrokerOptions, repeatable, seconds, wholeNumber } from '../broker/options.ts'
import type { Action } from '../command.ts'
import { EXIT } from '../exit-code.ts'
import type { Io } from '../io.ts'
import { errorText } from '../text/error-text.ts'
import { jsonLine, jsonText } from '../text/json.ts'
import { printable } from '../text/printable.ts'
import { readPairs } from '../text/words.ts'
import { UsageError } from '../usage-error.ts'

/** How long leaving may take. */
const STOP_MS = 10_000

interface ListenOptions extends BrokerOptions {
  readonly priority: readonly string[]
  readonly exchange?: string
  readonly pool?: string
  readonly remove: boolean
  readonly take: boolean
  readonly eventType?: string
  readonly publisher?: string
  readonly payload: readonly string[]
  readonly context: readonly string[]
  readonly count?: number
  readonly for?: number
}

export function define(command: Command, act: (action: Action) => void): void {
  addBrokerOptions(
    command
      .description(
        'Shows the notifications of topics as they come. Others lose nothing by it: it listens in a pool of its own, which is removed when it ends.',
      )
      .argument('[topics...]', 'default: the configured ones')
      .addOption(repeatable('--priority <name>', 'only these; may be repeated'))
      .option('--event-type <regex>', 'only events whose type begins so')
      .option('--publisher <regex>', 'only publishers that begin so')
      .addOption(repeatable('--payload <field=regex>', 'only payloads whose field begins so; may be repeated'))
      .addOption(repeatable('--context <field=regex>', 'the same for the request context'))
      .option('--count <n>', 'end after so many', wholeNumber('--count'))
      .addOption(new Option('--for <seconds>', 'end after so long').argParser(seconds('--for')))
      .option('--pool <name>', 'listen in this pool and leave it there')
      .option('--remove', 'remove that pool when this ends, and what it still holds', false)
      .option('--take', "take them from the service's own listeners", false)
      .option('--exchange <name>', 'instead of [DEFAULT] control_exchange'),
    60,
    'subscribing',
  ).action((topics: readonly string[], options: ListenOptions) => act(async (io) => await listen(topics, options, io)))
}

async function listen(given: readonly string[], options: ListenOptions, io: Io): Promise<number> {
  const priorities = prioritiesOf(options.priority)
  const rules = {
    ...(options.eventType === undefined ? {} : { eventType: options.eventType }),
    ...(options.publisher === undefined ? {} : { publisherId: options.publisher }),
    payload: readPairs(options.payload, '--payload'),
    context: readPairs(options.context, '--context'),
  }
  const filter = readFilter(rules)
  if (options.take && options.pool !== undefined)
    throw new UsageError('--take and --pool exclude each other: a pool has copies of its own')
  if (options.remove && options.pool === undefined)
    throw new UsageError('--remove says what becomes of --pool NAME; a pool of its own is removed anyway')
  return await withNotifications(options, io, async (transport) => {
    const topics = given.length > 0 ? given : transport.conf.get('oslo_messaging_notifications', 'topics')
    const { pool, admin } = await choosePool(transport, options, io)
    let shown = 0
    const full = new AbortController()
    const show =
      (priority: Priority) =>
      (...[context, publisherId, eventType, payload, metadata]: NotificationArguments): void => {
        // Rules for fields have nothing to match in a payload that has none.
        const hasFields = typeof payload === 'object' && payload !== null
        if (options.payload.length > 0 && !hasFields) return
        if (!filter.match(context, publisherId, eventType, metadata, hasFields ? payload : {})) return
        if (options.count !== undefined && shown >= options.count) return
        shown += 1
        const { message_id, timestamp } = metadata
        io.out(
          options.json
            ? jsonLine({
                priority,
                event_type: eventType,
                publisher_id: publisherId,
                payload,
                context,
                message_id,
                timestamp,
              })
            : lineOf({ priority, eventType, publisherId, payload, timestamp }, io),
        )
        if (shown === options.count) full.abort()
      }
    const endpoint: NotificationEndpoint = Object.fromEntries(priorities.map((name) => [name, show(name)]))
    const targets = topics.map((topic) => ({ topic, exchange: options.exchange ?? null }))
    const listener = getNotificationListener(transport, targets, [endpoint], pool === null ? {} : { pool })
    const timer = after(options.for)
    try {
      await listener.start({ timeoutMs: options.timeout * 1000, signal: io.signal })
      io.err(`oslo-msg: listening to ${topics.join(', ')}${placeOf(options, pool)}; Ctrl-C ends\n`)
      await Promise.race([interrupted(io.signal), interrupted(full.signal), timer.over])
      await listener.stop({ timeoutMs: STOP_MS })
      await listener.wait({ timeoutMs: STOP_MS })
    } finally {
      timer.cancel()
      await removePool(admin, pool, io)
    }
    return EXIT.done
  })
}

function placeOf(options: ListenOptions, pool: string | null): string {
  if (pool === null) return " and taking them from the service's own listeners"
  return ` in the pool ${printable(pool)}${options.pool === undefined || options.remove ? ', which goes when this ends' : ''}`
}

/** A pool of one's own, and the door through which it is removed; the pool that was named; or none. */
async function choosePool(
  transport: Transport,
  options: ListenOptions,
  io: Io,
): Promise<{ readonly pool: string | null; readonly admin: BrokerAdmin | undefined }> {
  if (options.take) return { pool: null, admin: undefined }
  const { pool } = options
  if (pool !== undefined && !options.remove) return { pool, admin: undefined }
  const refuse = (what: string): never => {
    throw new Error(
      `The ${transport.driverName} driver ${what}: --take shows notifications and takes them from the service's own listeners`,
    )
  }
  if (!transport.capabilities.pools) return refuse('has no pools')
  const admin = await getBrokerAdmin(transport.conf, { url: transport.url, ...openingOptions(options, io) })
  if (admin.removesPools) return { pool: pool ?? `oslo-msg-${randomUUID().slice(0, 13)}`, admin }
  await admin.close()
  return refuse('cannot remove a pool, --pool NAME leaves one behind')
}

/** What cannot be removed is said, because the broker would keep every notification for it. */
async function removePool(admin: BrokerAdmin | undefined, pool: string | null, io: Io): Promise<void> {
  if (admin === undefined || pool === null) return
  try {
    await admin.removePool(pool, { timeoutMs: 10_000 })
  } catch (error) {
    io.err(`oslo-msg: The pool ${pool} could not be removed and has to be by hand: ${printable(errorText(error))}\n`)
  } finally {
    await admin.close()
  }
}

interface Shown {
  readonly priority: Priority
  readonly eventType: string | null
  readonly publisherId: string | null
  readonly payload: unknown
  readonly timestamp: string | null
}

/** One line, as wide as a terminal is, and whole where nobody looks. */
function lineOf({ priority, eventType, publisherId, payload, timestamp }: Shown, io: Io): string {
  const time = timestamp?.slice(11, 19) ?? '--:--:--'
  const text = `${time}  ${priority.padEnd(8)}  ${printable(eventType ?? '-')}  ${printable(publisherId ?? '-')}  ${jsonText(payload)}`
  return `${io.isTerminal && text.length > io.columns ? `${text.slice(0, io.columns - 1)}…` : text}\n`
}
