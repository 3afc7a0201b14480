import { type Command, Option } from 'commander'
import {
  getNotificationListener,
  type NotificationArguments,
  type NotificationEndpoint,
  type Priority,
} from '@oslo-messaging/core'
import { withNotifications } from '../broker/connect.ts'
import { after, interrupted } from '../broker/interrupted.ts'
import { prioritiesOf, readFilter } from '../broker/notification-choice.ts'
import { addBrokerOptions, type BrokerOptions, repeatable, seconds, wholeNumber } from '../broker/options.ts'
import type { Action } from '../command.ts'
import { EXIT } from '../exit-code.ts'
import { openDestination } from '../forward/destination.ts'
import type { Io } from '../io.ts'
import { errorText } from '../text/error-text.ts'
import { count, printable } from '../text/printable.ts'
import { UsageError } from '../usage-error.ts'

interface ForwardOptions extends BrokerOptions {
  readonly to: string
  readonly pool?: string
  readonly take: boolean
  readonly eventType?: string
  readonly priority: readonly string[]
  readonly count?: number
  readonly for?: number
}

const FIRST_WAIT_MS = 500
const LONGEST_WAIT_MS = 30_000
const STOP_MS = 10_000

export function define(command: Command, act: (action: Action) => void): void {
  addBrokerOptions(
    command
      .description(
        'Copies notifications to a webhook as CloudEvents, to a file, or to another bus. Each is acknowledged when the other side has it; what is not forwarded stays with the broker, so that the next run goes on where this one ended.',
      )
      .argument('<topics...>', 'topics to read')
      .requiredOption('--to <place>', 'http(s) URL, transport URL, or a file that lines are added to')
      .option('--pool <name>', 'read copies of its own, kept under this name')
      .option('--take', "take them from the service's own listeners instead", false)
      .option('--event-type <regex>', 'only events whose type begins so')
      .addOption(repeatable('--priority <name>', 'only these; may be repeated'))
      .option('--count <n>', 'end after so many', wholeNumber('--count'))
      .addOption(new Option('--for <seconds>', 'end after so long').argParser(seconds('--for'))),
    60,
    'subscribing, and each attempt',
  ).action((topics: readonly string[], options: ForwardOptions) =>
    act(async (io) => await forward(topics, options, io)),
  )
}

async function forward(topics: readonly string[], options: ForwardOptions, io: Io): Promise<number> {
  const { pool, take } = options
  if ((pool === undefined) === !take)
    throw new UsageError('Give --pool NAME for copies of its own, or --take to take them from other listeners')
  const priorities = prioritiesOf(options.priority)
  const filter = readFilter(options.eventType === undefined ? {} : { eventType: options.eventType })
  return await withNotifications(options, io, async (transport) => {
    const { capabilities, driverName } = transport
    if (capabilities.notificationAcknowledgement === 'before-handler')
      io.err(
        `oslo-msg: the ${driverName} driver acknowledges before it is forwarded unless it is told otherwise (kafka_commit_mode = after)\n`,
      )
    const destination = await openDestination(options.to, {
      timeoutMs: options.timeout * 1000,
      debug: options.debug,
      io,
      conf: transport.conf,
    })
    let forwarded = 0
    const ended = new AbortController()
    const stop = (): void => ended.abort(new Error('The run has ended'))
    const copy =
      (priority: Priority) =>
      async (...[context, publisherId, eventType, payload, metadata]: NotificationArguments): Promise<void> => {
        if (!filter.match(context, publisherId, eventType, metadata, payload)) return
        await patiently(io, ended.signal, async () => {
          await destination.take({ priority, context, publisherId, eventType, payload, ...metadata })
        })
        forwarded += 1
        if (forwarded === options.count) stop()
      }
    const endpoint: NotificationEndpoint = Object.fromEntries(priorities.map((name) => [name, copy(name)]))
    const targets = topics.map((topic) => ({ topic }))
    const timer = after(options.for)
    try {
      // One after the other, so that the order of a queue is kept.
      const listener = getNotificationListener(transport, targets, [endpoint], {
        workers: 1,
        pool: pool ?? null,
        allowRequeue: capabilities.requeue,
      })
      await listener.start({ timeoutMs: options.timeout * 1000, signal: io.signal })
      io.err(`oslo-msg: forwarding ${printable(topics.join(', '))} to ${destination.name}; Ctrl-C ends\n`)
      await Promise.race([interrupted(io.signal), interrupted(ended.signal), timer.over])
      stop()
      await listener.stop({ timeoutMs: STOP_MS })
      await listener.wait({ timeoutMs: STOP_MS })
    } finally {
      timer.cancel()
      await destination.close()
    }
    io.err(`oslo-msg: forwarded ${count(forwarded, 'notification')}\n`)
    return EXIT.done
  })
}

/** Tries until the other side has it; at the end of the run it throws, and the broker keeps the notification. */
async function patiently(io: Io, ended: AbortSignal, attempt: () => Promise<void>): Promise<void> {
  for (let waitMs = FIRST_WAIT_MS; ; waitMs = Math.min(waitMs * 2, LONGEST_WAIT_MS)) {
    ended.throwIfAborted()
    try {
      return await attempt()
    } catch (error) {
      io.err(`oslo-msg: not forwarded, and tried again in ${waitMs} ms: ${printable(errorText(error))}\n`)
      const { over, cancel } = after(waitMs / 1000)
      await Promise.race([over, interrupted(ended)])
      cancel()
    }
  }
}
