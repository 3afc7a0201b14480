import type { Transport } from '@oslo-messaging/core'
import {
  busOf,
  Deadline,
  encodeJson,
  type IncomingRequest,
  Target,
  type TargetFields,
} from '@oslo-messaging/core/driver'

/** What a method gives: a result, or what it raises, by Python's name. */
export type Answer =
  | { readonly result: unknown }
  | { readonly failure: { readonly class: string; readonly message: string } }

/** Decides the answer of a method; `echo` says what was asked. */
export type Answers = (
  method: string,
  echo: { readonly method: string; readonly args: unknown; readonly server: string },
) => Answer

/** How an answering server works. */
export interface AnsweringOptions {
  readonly answers: Answers
  readonly delayMs: number
  readonly workers: number
  /** Bounds the subscribing. */
  readonly timeoutMs: number
  readonly signal: AbortSignal
  readonly onRequest: (request: {
    readonly kind: 'call' | 'cast'
    readonly method: string
    readonly args: unknown
    readonly failed: boolean
  }) => void
}

/** A server that is up. */
export interface AnsweringServer {
  /** Rejects when the subscription is lost for good. */
  readonly lost: Promise<void>
  /** Takes nothing more and waits for what is under way. */
  drain(): Promise<void>
}

const PING = 'oslo_rpc_server_ping'

/** Serves every method of a target, which endpoints cannot: they offer methods by name. */
export async function startAnswering(
  transport: Transport,
  target: TargetFields,
  options: AnsweringOptions,
): Promise<AnsweringServer> {
  const server = target.server ?? ''
  const underway = new Set<Promise<void>>()
  const listener = await busOf(transport).listen(new Target(target), {
    deadline: Deadline.after(options.timeoutMs, { signal: options.signal }),
    prefetch: options.workers,
    onMessage: (request) => {
      const done = answer(request, server, options).finally(() => underway.delete(done))
      underway.add(done)
    },
  })
  return {
    lost: listener.closed,
    async drain() {
      await listener.stop()
      await Promise.all(underway)
      await listener.close()
    },
  }
}

async function answer(request: IncomingRequest, server: string, options: AnsweringOptions): Promise<void> {
  request.acknowledge()
  const { method: named, args = {} } = request.message
  const method = typeof named === 'string' ? named : ''
  const kind = request.expectsReply ? 'call' : 'cast'
  const given = method === PING ? { result: 'pong' } : options.answers(method, { method, args, server })
  await patiently(request, options.delayMs)
  const failed = 'failure' in given
  if (request.expectsReply)
    await request.reply(
      failed ? { result: null, failure: failureText(given.failure) } : { result: given.result, failure: null },
    )
  request.finished?.()
  if (method !== PING) options.onRequest({ kind, method, args, failed })
}

/** Waits, with signs of life for callers that watch for them. */
async function patiently(request: IncomingRequest, delayMs: number): Promise<void> {
  if (delayMs === 0) return
  const { callMonitorTimeout } = request
  const beat =
    callMonitorTimeout === null
      ? undefined
      : setInterval(() => void request.heartbeat(), (callMonitorTimeout * 1000) / 2)
  await new Promise((resolve) => setTimeout(resolve, delayMs))
  clearInterval(beat)
}

const OURS = new Set(['NoSuchMethod', 'UnsupportedVersion'])

function failureText({ class: name, message }: { readonly class: string; readonly message: string }): string {
  const module = OURS.has(name) ? 'oslo_messaging.rpc.dispatcher' : 'builtins'
  return encodeJson({ class: name, module, message, tb: [`${name}: ${message}\n`], args: [message], kwargs: {} })
}
