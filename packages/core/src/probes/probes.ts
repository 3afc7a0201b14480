import type { IncomingMessage, ServerResponse } from 'node:http'
import { ConfigurationError } from '../errors.ts'
import type { Messaging } from '../messaging/messaging.ts'
import type { Target, TargetFields } from '../target.ts'
import { checkFunction, checkOptions, checkTimeout, kindOf, type OptionNames } from '../util/check.ts'
import { errorText } from '../util/text.ts'
import { LoopDelay } from './loop-delay.ts'

/** How the probes answer; everything may be left out. */
export interface ProbesOptions {
  /** `/livez` fails when the event loop was held up longer within the last seconds, milliseconds; null: never. A loop
   *  that is held up now answers nothing, which supervisors take for a failure as well. Default 10 000. */
  readonly maxLoopDelayMs?: number | null | undefined
  /** What `/metrics` answers, in the text format of Prometheus: `() => register.metrics()` of prom-client. Without it
   *  the path is unknown. */
  readonly metrics?: (() => string | Promise<string>) | undefined
  /** `/readyz` also calls `oslo_rpc_server_ping` of this target, a server of this process, over the broker and back.
   *  Needs `[DEFAULT] rpc_ping_enabled`. */
  readonly ping?: Target | TargetFields | undefined
  /** Most time for that call, milliseconds. Default 2000. */
  readonly pingTimeoutMs?: number | undefined
}

const OPTIONS: OptionNames<ProbesOptions> = { maxLoopDelayMs: true, metrics: true, ping: true, pingTimeoutMs: true }
const PING = 'oslo_rpc_server_ping'
const METRICS_TYPE = 'text/plain; version=0.0.4; charset=utf-8'

interface Answer {
  readonly code: number
  readonly body: string
  readonly type?: string
}

/** Answers `/livez`, `/readyz`, `/health` and `/metrics`. Make it with `getProbes`. */
export class Probes {
  readonly #messaging: Messaging
  readonly #options: ProbesOptions
  readonly #delay = new LoopDelay()
  #pinging: Promise<string | undefined> | undefined

  constructor(messaging: Messaging, options: ProbesOptions) {
    this.#messaging = messaging
    this.#options = options
  }

  /** A listener for `node:http`: `createServer(probes.handle)`. Answers 404 for other paths. */
  readonly handle = (request: IncomingMessage, response: ServerResponse): void => {
    void this.answer(request.method ?? 'GET', request.url ?? '/').then(({ code, body, type }) => {
      response.writeHead(code, { 'content-type': type ?? 'application/json', 'cache-control': 'no-store' })
      response.end(request.method === 'HEAD' ? undefined : body)
    })
  }

  /** The same for other servers of HTTP. Never rejects. */
  async answer(method: string, url: string): Promise<Answer> {
    const path = url.split('?', 1)[0]
    if (method !== 'GET' && method !== 'HEAD') return json(405, { error: `${method} is not answered` })
    try {
      if (path === '/livez') return this.#live()
      if (path === '/readyz') return await this.#ready()
      if (path === '/health') return this.#health()
      if (path === '/metrics' && this.#options.metrics !== undefined) return await scrape(this.#options.metrics)
      return json(404, { error: 'There are /livez, /readyz, /health and /metrics' })
    } catch (error) {
      return json(500, { error: errorText(error) })
    }
  }

  /** Stops measuring the event loop. */
  close(): void {
    this.#delay.close()
  }

  [Symbol.dispose](): void {
    this.close()
  }

  /** Only about the process: a restart mends no broker. */
  #live(): Answer {
    const { maxLoopDelayMs = 10_000 } = this.#options
    const loopDelayMs = this.#delay.maxMs
    if (maxLoopDelayMs === null || loopDelayMs <= maxLoopDelayMs) return json(200, { live: true, loopDelayMs })
    return json(503, { live: false, loopDelayMs, reason: `the event loop was held up for ${loopDelayMs} ms` })
  }

  async #ready(): Promise<Answer> {
    const { ready, reason, sinceMs } = this.#messaging.health()
    const failure = ready ? await this.#ping() : undefined
    const isReady = ready && failure === undefined
    const why = reason ?? failure
    return json(isReady ? 200 : 503, {
      ready: isReady,
      ...(why === undefined ? {} : { reason: why }),
      ...(sinceMs === undefined ? {} : { since: new Date(sinceMs).toISOString() }),
    })
  }

  #health(): Answer {
    const health = this.#messaging.health()
    const load = Object.fromEntries(this.#messaging.transports.map((transport) => [transport.kind, transport.load]))
    return json(200, { ...health, load, loopDelayMs: this.#delay.maxMs })
  }

  /** Why the call of itself failed. However many ask, one is under way. */
  async #ping(): Promise<string | undefined> {
    const { ping, pingTimeoutMs = 2000 } = this.#options
    if (ping === undefined) return undefined
    this.#pinging ??= this.#messaging
      .client(ping)
      .call({}, PING, {}, { timeoutMs: pingTimeoutMs })
      .then(
        () => undefined,
        (error: unknown) => `its own ping failed: ${errorText(error)}`,
      )
      .finally(() => (this.#pinging = undefined))
    return await this.#pinging
  }
}

async function scrape(metrics: NonNullable<ProbesOptions['metrics']>): Promise<Answer> {
  const body: unknown = await metrics()
  if (typeof body !== 'string') throw new TypeError(`metrics must give text, not ${kindOf(body)}`)
  return { code: 200, body, type: METRICS_TYPE }
}

function json(code: number, body: object): Answer {
  return { code, body: `${JSON.stringify(body)}\n` }
}

/** Liveness, readiness, health and metrics of a service, for its supervisor.
 *
 *  ```ts
 *  const probes = getProbes(messaging)
 *  createServer(probes.handle).listen(8080)
 *  ```
 *
 *  Throws ConfigurationError when `ping` is wanted and servers do not answer it, TypeError for options it does not
 *  know. */
export function getProbes(messaging: Messaging, options: ProbesOptions = {}): Probes {
  checkOptions('getProbes', options, OPTIONS)
  checkFunction('metrics', options.metrics)
  checkTimeout('maxLoopDelayMs', options.maxLoopDelayMs)
  checkTimeout('pingTimeoutMs', options.pingTimeoutMs)
  if (options.ping !== undefined && !messaging.conf.get('DEFAULT', 'rpc_ping_enabled'))
    throw new ConfigurationError('Servers answer pings only with [DEFAULT] rpc_ping_enabled = true', {
      option: '[DEFAULT] rpc_ping_enabled',
    })
  return new Probes(messaging, options)
}
