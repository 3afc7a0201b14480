import { type IncomingMessage, STATUS_CODES } from 'node:http'
import { basename } from 'node:path'
import type { Messaging, Notifier, NotifierOptions } from '@oslo-messaging/core'
import { type Environment, environmentOf, type HttpRequest, withoutSecrets } from './environment.ts'

/** Settings of the request notifier; everything may be left out. */
export interface RequestNotifierOptions extends Pick<NotifierOptions, 'driver' | 'topics' | 'serializer'> {
  /** Default: the file name of the running program. */
  readonly publisherId?: string
  /** In `HTTP_X_SERVICE_NAME`. Default: the host that was asked. */
  readonly serviceName?: string
  /** Methods whose requests are not notified, in any case: `['GET', 'HEAD']`. */
  readonly ignoreMethods?: readonly string[]
}

/** What is used of a response: Node's own. */
interface HttpResponse {
  readonly statusCode: number
  readonly statusMessage?: string
  getHeaders(): Readonly<Record<string, unknown>>
  once(event: 'close', listener: () => void): unknown
}

/** Sends `http.request` before and `http.response` after each request, priority info. What goes wrong with that is
 *  logged, and the request is served all the same. Source: oslo_messaging/notify/middleware.py. */
export class RequestNotifier {
  readonly #messaging: Messaging
  readonly #notifier: Notifier
  readonly #serviceName: string | undefined
  readonly #ignored: ReadonlySet<string>
  readonly #failures = new WeakMap<object, unknown>()

  constructor(messaging: Messaging, options: RequestNotifierOptions = {}) {
    const { publisherId = basename(process.argv[1] ?? 'node'), serviceName, ignoreMethods = [], ...rest } = options
    this.#messaging = messaging
    this.#notifier = messaging.notifier({ ...rest, publisherId })
    this.#serviceName = serviceName
    this.#ignored = new Set(ignoreMethods.map((method) => method.trim().toUpperCase()))
  }

  /** For Express and others of its kind: `app.use(notifier.handle)`, before the routes. */
  readonly handle = (request: IncomingMessage, response: HttpResponse, next: () => void): void => {
    this.begin(request, response)
    next()
  }

  /** For Express, behind the routes: `app.use(notifier.handleError)`. The response's notification then has the error,
   *  which goes on to the handlers behind. */
  readonly handleError = (
    error: unknown,
    request: IncomingMessage,
    _response: HttpResponse,
    next: (error: unknown) => void,
  ): void => {
    this.fail(request, error)
    next(error)
  }

  /** A request has come: notifies of it, and of its response when that is done. */
  begin(request: HttpRequest, response: HttpResponse): void {
    if (this.#ignored.has((request.method ?? '').toUpperCase())) return
    const environment = environmentOf(request, this.#serviceName)
    this.#notify('http.request', () => ({ request: environment }))
    response.once('close', () =>
      this.#notify('http.response', () => this.#responsePayload(environment, request, response)),
    )
  }

  /** The request failed with that. */
  fail(request: HttpRequest, error: unknown): void {
    this.#failures.set(request, error)
  }

  #responsePayload(environment: Environment, request: HttpRequest, response: HttpResponse): object {
    const { statusCode, statusMessage } = response
    const status = `${statusCode} ${statusMessage || (STATUS_CODES[statusCode] ?? '')}`.trim()
    const payload = { request: environment, response: { status, headers: withoutSecrets(response.getHeaders()) } }
    if (!this.#failures.has(request)) return payload
    const error = this.#failures.get(request)
    const stack = error instanceof Error && typeof error.stack === 'string' ? error.stack.split('\n').slice(1) : []
    return { ...payload, exception: { value: String(error), traceback: stack } }
  }

  #notify(event: string, payload: () => object): void {
    const log = (error: unknown): void =>
      this.#messaging.logger.error(`The notification ${event} could not be sent: ${String(error)}`, { error })
    try {
      this.#notifier.info({}, event, payload()).catch(log)
    } catch (error) {
      log(error)
    }
  }
}

/** What is used of a Fastify reply. */
interface FastifyReply {
  readonly raw: HttpResponse
  getHeaders(): Readonly<Record<string, unknown>>
}

/** What is used of a Fastify instance. */
export interface FastifyHooks {
  addHook(name: 'onRequest', hook: (request: { raw: IncomingMessage }, reply: FastifyReply) => Promise<void>): unknown
  addHook(
    name: 'onError',
    hook: (request: { raw: IncomingMessage }, reply: FastifyReply, error: Error) => Promise<void>,
  ): unknown
}

/** The same for Fastify: `requestNotifications(app, messaging)`, before the routes. */
export function requestNotifications(app: FastifyHooks, messaging: Messaging, options?: RequestNotifierOptions): void {
  const notifier = new RequestNotifier(messaging, options)
  app.addHook('onRequest', async (request, reply) => notifier.begin(request.raw, responseOf(reply)))
  app.addHook('onError', async (request, _reply, error) => notifier.fail(request.raw, error))
}

/** Fastify keeps the headers itself, and hands them to Node in one piece, which Node does not remember. */
function responseOf(reply: FastifyReply): HttpResponse {
  return {
    get statusCode() {
      return reply.raw.statusCode
    },
    getHeaders: () => reply.getHeaders(),
    once: (event, listener) => reply.raw.once(event, listener),
  }
}
