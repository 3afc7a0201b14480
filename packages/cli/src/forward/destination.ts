import { open } from 'node:fs/promises'
import { getNotificationTransport, getNotifier, type MessagingConfig, type Priority } from '@oslo-messaging/core'
import { openingOptions } from '../broker/connect.ts'
import type { Io } from '../io.ts'
import { errorText } from '../text/error-text.ts'
import { jsonLine, jsonText } from '../text/json.ts'
import { UsageError } from '../usage-error.ts'

/** One notification on its way. */
export interface Forwarded {
  readonly priority: Priority
  readonly context: object
  readonly publisherId: string | null
  readonly eventType: string | null
  readonly payload: unknown
  readonly message_id: string | null
  readonly timestamp: string | null
}

/** Where notifications are copied to. */
export interface Destination {
  /** For people, without secrets. */
  readonly name: string
  /** Resolves when the other side has it for good; rejects when it may not. */
  take(notification: Forwarded): Promise<void>
  close(): Promise<void>
}

interface DestinationOptions {
  readonly timeoutMs: number
  readonly debug: boolean
  readonly io: Io
  readonly conf: MessagingConfig
}

/** The destination that `to` names. Rejects when it cannot be opened. */
export async function openDestination(to: string, options: DestinationOptions): Promise<Destination> {
  if (/^https?:/.test(to)) {
    if (!URL.canParse(to)) throw new UsageError(`--to ${to} is no URL: http://host:port/path`)
    return webhook(new URL(to), options.timeoutMs)
  }
  if (/^[a-z][a-z0-9+]*:\/\//.test(to) && !to.startsWith('file:')) return await otherBus(to, options)
  return await lines(to.replace(/^file:(\/\/)?/, ''))
}

/** CloudEvents 1.0 in structured mode; any status of 2xx is a confirmation. */
function webhook(url: URL, timeoutMs: number): Destination {
  return {
    name: url.origin + url.pathname,
    async take(notification) {
      const headers: Record<string, string> = { 'content-type': 'application/cloudevents+json; charset=utf-8' }
      if (url.username !== '')
        headers['authorization'] =
          `Basic ${Buffer.from(`${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}`).toString('base64')}`
      const target = new URL(url)
      target.username = ''
      target.password = ''
      const answer = await fetch(target, {
        method: 'POST',
        headers,
        body: jsonText(cloudEvent(notification)),
        signal: AbortSignal.timeout(timeoutMs),
      }).catch((error: unknown) => {
        throw new Error(`The webhook at ${url.host} cannot be reached (${reasonOf(error)})`, { cause: error })
      })
      await answer.arrayBuffer()
      if (!answer.ok) throw new Error(`The webhook answers with status ${answer.status}`)
    },
    close: async () => {},
  }
}

/** `fetch failed` has what it means in its cause. */
function reasonOf(error: unknown): string {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error
  return cause instanceof Error && 'code' in cause && typeof cause.code === 'string' ? cause.code : errorText(cause)
}

function cloudEvent({ priority, publisherId, eventType, payload, message_id, timestamp }: Forwarded): object {
  return {
    specversion: '1.0',
    id: message_id ?? '',
    source: publisherId ?? 'oslo.messaging',
    type: eventType ?? 'oslo.messaging.notification',
    ...(timestamp === null ? {} : { time: `${timestamp.replace(' ', 'T')}Z` }),
    datacontenttype: 'application/json',
    priority,
    data: payload,
  }
}

/** One line each, on the disk before it is confirmed. */
async function lines(path: string): Promise<Destination> {
  const file = await open(path, 'a').catch((error: unknown) => {
    throw new Error(`--to: ${path} cannot be written (${reasonOf(error)})`, { cause: error })
  })
  return {
    name: path,
    async take({ eventType, publisherId, ...rest }) {
      await file.appendFile(jsonLine({ event_type: eventType, publisher_id: publisherId, ...rest }))
      await file.datasync()
    },
    close: async () => await file.close(),
  }
}

/** Another bus, to topics of the same notifications: it gets an id of its own there. */
async function otherBus(url: string, { timeoutMs, debug, io, conf }: DestinationOptions): Promise<Destination> {
  const transport = await getNotificationTransport(conf, {
    url,
    ...openingOptions({ debug }, io, 'oslo-msg forward'),
  })
  const notifier = getNotifier(transport, { driver: 'messagingv2', timeoutMs })
  return {
    name: transport.url.redacted,
    async take({ priority, context, publisherId, eventType, payload }) {
      await notifier.prepare({ publisherId })[priority](context, eventType ?? '', payload)
    },
    close: async () => void (await transport.close({ timeoutMs: 5000 })),
  }
}
