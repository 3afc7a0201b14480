import { randomUUID } from 'node:crypto'
import {
  type DriverContext,
  emitDiagnostic,
  type ListenOptions,
  SerializationError,
  type Target,
} from '@oslo-messaging/core/driver'
import type { RedisOptions } from '../config.ts'
import type { Connection } from '../connection/connection.ts'
import type { Taken } from '../receive/intake.ts'
import { StreamListener } from '../receive/listener.ts'
import type { Sender } from '../send/sender.ts'
import { type Names, SERVERS } from '../topology/names.ts'
import { type Body, readBody } from '../wire/body.ts'
import { FIELDS, numberOf, writtenAt } from '../wire/fields.ts'
import { Request } from './request.ts'

/** What a server needs of its driver. */
export interface RequestListenerParts {
  readonly connection: Connection
  readonly sender: Sender
  readonly names: Names
  readonly context: DriverContext<RedisOptions>
  /** It is closed. */
  readonly onClose: () => void
}

/** One server: the requests for any of the topic, for itself by name, and for all of them. */
export function listenForRequests(target: Target, options: ListenOptions, parts: RequestListenerParts): StreamListener {
  const { connection, sender, names, context, onClose } = parts
  const expiresInMs = context.options.rpc_expires * 1000
  const shared = { group: SERVERS, start: '0', isOwn: false, expiresInMs, maxAgeMs: null } as const
  // Every server has a group, and with it a copy, of what is for all.
  const own = { group: `server:${randomUUID()}`, start: '$', isOwn: true, expiresInMs, maxAgeMs: null } as const
  const isLate = options.acknowledge === 'after'

  const drop = (taken: Taken, reason: 'unreadable' | 'expired', error?: unknown): void => {
    const source = taken.stream.key
    listener.intake.settle(taken, true)
    if (reason === 'unreadable') context.logger.warn('Dropped a request that cannot be read', { source, error })
    emitDiagnostic('oslo-messaging:message-dropped', () => ({
      driver: 'redis',
      source,
      reason,
      ...(error === undefined ? {} : { error }),
    }))
  }

  const listener: StreamListener = new StreamListener({
    name: `rpc ${target.topic}.${target.server}`,
    streams: [
      { ...shared, key: names.anyServer(target) },
      { ...shared, key: names.server(target) },
      { ...own, key: names.allServers(target) },
    ],
    prefetch: options.prefetch,
    connection,
    context,
    onClose,
    onTaken: (taken) => {
      const { fields, id } = taken.entry
      const expires = numberOf(fields, FIELDS.expires)
      const now = connection.link?.serverTime ?? writtenAt(id)
      const left = expires === undefined ? undefined : Math.min(expires, expires - (now - writtenAt(id)))
      if (left !== undefined && left <= 0) return drop(taken, 'expired')
      let body: Body
      try {
        body = readBody(fields[FIELDS.body])
        // Nobody is to have a server write into a key of their choice.
        if (!names.isReplies(fields[FIELDS.replyTo] ?? null))
          throw new SerializationError('The address of the reply is not one of a client')
      } catch (error) {
        return drop(taken, 'unreadable', error)
      }
      options.onMessage(
        new Request(body, taken, {
          sender,
          context,
          isLate,
          signal: listener.intake.signal,
          expiresInMs: left,
          settle: (isDone) => void listener.intake.settle(taken, isDone),
        }),
      )
    },
  })
  return listener
}
