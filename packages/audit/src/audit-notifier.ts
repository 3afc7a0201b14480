import { randomUUID } from 'node:crypto'
import type { IncomingHttpHeaders } from 'node:http'
import { basename } from 'node:path'
import {
  ACCOUNT_USER,
  cadfTag,
  cadfTime,
  type CadfEvent,
  createCadfEvent,
  type NewCadfResource,
} from '@oslo-messaging/cadf'
import type { Messaging, Notifier, NotifierOptions } from '@oslo-messaging/core'
import type { AuditMap } from './audit-map.ts'
import { actionOf, targetOf } from './describe-request.ts'
import type { RequestIdentity } from './identity.ts'

/** What is read of a request: Node's own, and so those of Express and of Fastify (`request.raw`). */
export interface AuditedRequest {
  readonly method?: string | undefined
  readonly url?: string | undefined
  /** Express: the URL before a router took its part of it. */
  readonly originalUrl?: string
  readonly headers: IncomingHttpHeaders
  readonly socket?: { readonly remoteAddress?: string | undefined }
  /** What a parser has made of it, if one has. */
  readonly body?: unknown
}

/** What is used of a response: Node's own. */
export interface AuditedResponse {
  readonly statusCode: number
  readonly writableEnded: boolean
  once(event: 'close', listener: () => void): unknown
}

/** Settings of the audit notifier; everything may be left out. */
export interface AuditNotifierOptions extends Pick<NotifierOptions, 'driver' | 'topics' | 'serializer'> {
  /** Default: the file name of the running program. */
  readonly publisherId?: string
  /** Methods whose requests are not audited, in any case: `['GET', 'HEAD']`. */
  readonly ignoreMethods?: readonly string[]
  /** What paths mean; see `loadAuditMap`. */
  readonly map?: AuditMap
  /** Who sent a request: `keystoneIdentity` behind Keystone. Default: nobody knows. */
  readonly identify?: (request: AuditedRequest) => RequestIdentity
  /** The address of whoever sent it. Default: that of the connection; a proxy's header can be forged. */
  readonly address?: (request: AuditedRequest) => string | undefined
  /** What was asked. Default: by the catalog of `identify`. */
  readonly target?: (request: AuditedRequest) => NewCadfResource
  /** The request context of the notifications. Default: empty. */
  readonly context?: (request: AuditedRequest) => object
}

/** The reporter and the observer of an event is the service that was asked. */
const SELF = { id: 'target' }

/** Notifies `audit.http.request` before and `audit.http.response` after each request, priority info: one CADF event,
 *  first pending, then with its outcome. What goes wrong with that is logged, and the request is served all the same.
 *  Source: keystonemiddleware/audit (13.0.1). */
export class AuditNotifier {
  readonly #messaging: Messaging
  readonly #notifier: Notifier
  readonly #options: AuditNotifierOptions
  readonly #ignored: ReadonlySet<string>
  readonly #events = new WeakMap<object, CadfEvent>()

  constructor(messaging: Messaging, options: AuditNotifierOptions = {}) {
    const {
      publisherId = basename(process.argv[1] ?? 'node'),
      ignoreMethods = [],
      driver,
      topics,
      serializer,
    } = options
    this.#messaging = messaging
    this.#notifier = messaging.notifier({
      publisherId,
      ...(driver === undefined ? {} : { driver }),
      ...(topics === undefined ? {} : { topics }),
      ...(serializer === undefined ? {} : { serializer }),
    })
    this.#options = options
    this.#ignored = new Set(ignoreMethods.map((method) => method.trim().toUpperCase()))
  }

  /** For Express and others of its kind: `app.use(notifier.handle)`, behind the parser of bodies and before the
   *  routes. */
  readonly handle = (request: AuditedRequest, response: AuditedResponse, next: () => void): void => {
    this.watch(request, response)
    this.begin(request)
    next()
  }

  /** A request has come: its response will be notified, whether `begin` was called for it or not. */
  watch(request: AuditedRequest, response: AuditedResponse): void {
    if (this.#isIgnored(request)) return
    response.once('close', () => this.#notify(request, 'audit.http.response', () => this.#ended(request, response)))
  }

  /** Notifies of a request whose body has been parsed: nova's actions are named in it. */
  begin(request: AuditedRequest, body: unknown = request.body): void {
    if (this.#isIgnored(request)) return
    this.#notify(request, 'audit.http.request', () => {
      const event = this.#event(request, body)
      this.#events.set(request, event)
      return event
    })
  }

  #isIgnored({ method = '' }: AuditedRequest): boolean {
    return this.#ignored.has(method.toUpperCase())
  }

  #event(request: AuditedRequest, body: unknown): CadfEvent {
    const { map = {}, identify, address = ({ socket }) => socket?.remoteAddress, target } = this.#options
    const { method = '', headers } = request
    const url = request.originalUrl ?? request.url ?? '/'
    const [path = ''] = url.split('?', 1)
    const who = identify?.(request) ?? {}
    const [from, agent] = [address(request), headers['user-agent']]
    return createCadfEvent({
      action: actionOf({ method, path, body }, map),
      outcome: 'pending',
      initiator: {
        typeURI: ACCOUNT_USER,
        // Empty text counts as none: the event must not be refused for it.
        id: who.userId || 'unknown',
        name: who.userName ?? 'unknown',
        host: { ...(from === undefined ? {} : { address: from }), ...(agent === undefined ? {} : { agent }) },
        credential: { token: who.token ?? '', identity_status: who.identityStatus ?? 'unknown' },
        project_id: who.projectId ?? 'unknown',
        ...(who.requestId === undefined ? {} : { request_id: who.requestId }),
        ...(who.globalRequestId === undefined ? {} : { global_request_id: who.globalRequestId }),
      },
      target: target?.(request) ?? targetOf({ host: headers.host ?? '', path }, who.catalog ?? [], map),
      observer: SELF,
      requestPath: url,
      tags: [cadfTag('correlation_id', randomUUID())],
    })
  }

  /** The event of before, with what became of it: unknown when the connection ended before there was an answer. */
  #ended(request: AuditedRequest, { statusCode, writableEnded }: AuditedResponse): CadfEvent {
    const event = this.#events.get(request) ?? this.#event(request, request.body)
    const succeeded = statusCode >= 200 && statusCode < 400
    return {
      ...event,
      ...(writableEnded
        ? {
            outcome: succeeded ? 'success' : 'failure',
            reason: { reasonType: 'HTTP', reasonCode: String(statusCode) },
          }
        : { outcome: 'unknown' }),
      reporterchain: [{ role: 'modifier', reporter: SELF, reporterTime: cadfTime() }],
    }
  }

  #notify(request: AuditedRequest, eventType: string, payload: () => CadfEvent): void {
    const log = (error: unknown): void =>
      this.#messaging.logger.error(`The notification ${eventType} could not be sent: ${String(error)}`, { error })
    try {
      this.#notifier.info(this.#options.context?.(request) ?? {}, eventType, payload()).catch(log)
    } catch (error) {
      log(error)
    }
  }
}

/** What is used of a Fastify instance. */
export interface AuditedFastify {
  addHook(
    name: 'onRequest' | 'preValidation',
    hook: (request: { raw: AuditedRequest; body: unknown }, reply: { raw: AuditedResponse }) => Promise<void>,
  ): unknown
}

/** The same for Fastify: `auditRequests(app, messaging)`, before the routes. The body is known before it is validated;
 *  a request that was refused before that is notified by its response alone. */
export function auditRequests(app: AuditedFastify, messaging: Messaging, options?: AuditNotifierOptions): void {
  const notifier = new AuditNotifier(messaging, options)
  app.addHook('onRequest', async ({ raw }, reply) => notifier.watch(raw, reply.raw))
  app.addHook('preValidation', async ({ raw, body }) => notifier.begin(raw, body))
}
