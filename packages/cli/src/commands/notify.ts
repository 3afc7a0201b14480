import { type Command, Option } from 'commander'
import { getNotifier, PRIORITIES, type Priority } from '@oslo-messaging/core'
import { withNotifications } from '../broker/connect.ts'
import { describeFailure } from '../broker/failure-text.ts'
import { addBrokerOptions, type BrokerOptions, repeatable, wholeNumber } from '../broker/options.ts'
import { addManyOptions, ARGUMENTS } from '../broker/request-options.ts'
import { interruptOf, sendMany } from '../broker/send-many.ts'
import type { Action } from '../command.ts'
import { EXIT } from '../exit-code.ts'
import type { Io } from '../io.ts'
import { jsonLine } from '../text/json.ts'
import { printable } from '../text/printable.ts'
import { isRecord, readJson, readObject, readPairs, readWords } from '../text/words.ts'
import { UsageError } from '../usage-error.ts'

interface NotifyOptions extends BrokerOptions {
  readonly topic: readonly string[]
  readonly priority: Priority
  readonly publisherId: string
  readonly driver?: string
  readonly payload?: string
  readonly context?: string
  readonly header: readonly string[]
  readonly retry?: number
  readonly from?: string
  readonly concurrency: number
  readonly keepGoing: boolean
}

interface Notification {
  readonly eventType: string
  readonly payload: unknown
  readonly context: Readonly<Record<string, unknown>>
  readonly priority: Priority
}

export function define(command: Command, act: (action: Action) => void): void {
  addBrokerOptions(
    addManyOptions(
      command
        .description('Sends a notification. Done means that the broker has it on every topic.')
        .argument('[event-type]', 'such as compute.instance.create.end; left out: each line of --from names its own')
        .argument('[payload...]', ARGUMENTS)
        .addOption(repeatable('--topic <name>', 'instead of the configured topics; may be repeated'))
        .addOption(new Option('--priority <name>', 'of the notification').choices(PRIORITIES).default('info'))
        .option('--publisher-id <text>', 'who speaks', 'oslo-msg')
        .option('--driver <name>', 'messagingv2, messaging or another, instead of the configured ones')
        .option('--payload <json>', 'any JSON, where the payload is no object')
        .option('--context <json>', 'request context')
        .addOption(repeatable('--header <name=value>', 'transport header; may be repeated'))
        .option('--retry <n>', 'attempts after the first (default: as configured)', wholeNumber('--retry', 0)),
      'an object {"event_type", "payload", "priority", "context"}, or with EVENT-TYPE the payload',
    ),
    60,
    'each notification',
  ).action((eventType: string | undefined, words: readonly string[], options: NotifyOptions) =>
    act(async (io) => await notify(eventType, words, options, io)),
  )
}

async function notify(
  eventType: string | undefined,
  words: readonly string[],
  options: NotifyOptions,
  io: Io,
): Promise<number> {
  const headers = readPairs(options.header, '--header')
  const context = options.context === undefined ? {} : readObject(options.context, '--context')
  const { from, priority } = options
  if (from === undefined && eventType === undefined)
    throw new UsageError('Which event type? Name it, or give --from with a file that does')
  if (options.payload !== undefined && (words.length > 0 || from !== undefined))
    throw new UsageError('The payload is --payload, words, or in the lines of --from: give one of them')
  if (from !== undefined && words.length > 0)
    throw new UsageError('--from has the payloads in its lines; take them off the command line')
  const payload =
    options.payload === undefined ? readWords(words, 'The payload') : readJson(options.payload, '--payload')
  return await withNotifications(options, io, async (transport) => {
    const notifier = getNotifier(transport, {
      publisherId: options.publisherId,
      driver: driverOf(options, transport.conf.get('oslo_messaging_notifications', 'driver')),
      timeoutMs: options.timeout * 1000,
      ...(options.topic.length === 0 ? {} : { topics: options.topic }),
      ...(options.retry === undefined ? {} : { retry: options.retry }),
    })
    const send = async (each: Notification): Promise<{ readonly sent: true }> => {
      await notifier[each.priority](each.context, each.eventType, each.payload, {
        headers,
        ...interruptOf(from, io),
      })
      return { sent: true }
    }
    if (from !== undefined)
      return await sendMany(
        { ...options, from },
        io,
        async (value) => await send(ofLine(value, { eventType, context, priority })),
      )
    try {
      const sent = await send({ eventType: eventType ?? '', payload, context, priority })
      const topics =
        options.topic.length === 0 ? transport.conf.get('oslo_messaging_notifications', 'topics') : options.topic
      const places = topics.map((topic) => `${topic}.${priority}`).join(', ')
      io.out(options.json ? jsonLine(sent) : `The broker has ${printable(eventType ?? '')} in ${places}\n`)
      return EXIT.done
    } catch (error) {
      if (options.json) io.out(jsonLine({ error: describeFailure(error).fields }))
      throw error
    }
  })
}

/** A tool that is told to notify does, also where the service has not been told to yet. */
export function driverOf(
  options: { readonly driver?: string },
  configured: readonly string[],
): string | readonly string[] {
  return options.driver ?? (configured.length === 0 ? 'messagingv2' : configured)
}

function ofLine(
  value: unknown,
  given: { readonly eventType: string | undefined } & Pick<Notification, 'context' | 'priority'>,
): Notification {
  const { eventType, context, priority } = given
  if (eventType !== undefined) return { eventType, payload: value, context, priority }
  if (!isRecord(value)) throw new Error('a line must be a JSON object')
  const { event_type: own, payload = {}, priority: ownPriority = priority, context: more = {} } = value
  if (typeof own !== 'string') throw new Error('the line has no "event_type"')
  if (!isRecord(more)) throw new Error('"context" must be an object')
  const known = PRIORITIES.find((name) => name === String(ownPriority).toLowerCase())
  if (known === undefined) throw new Error(`"priority" must be one of ${PRIORITIES.join(', ')}`)
  return { eventType: own, payload, context: { ...context, ...more }, priority: known }
}
