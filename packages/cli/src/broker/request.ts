import { type CallContext, getRpcClient, type Transport } from '@oslo-messaging/core'
import { isRecord, readObject, readPairs, readWords } from '../text/words.ts'
import { UsageError } from '../usage-error.ts'
import type { RequestOptions } from './request-options.ts'

/** One request to send. */
export interface Request {
  readonly method: string
  readonly args: Readonly<Record<string, unknown>>
  readonly context: Readonly<Record<string, unknown>>
}

/** What the command line asks to send, before any broker is asked: one request, or how to make one of a line. */
export interface Requests {
  /** null: those of `--from`. */
  readonly one: Request | null
  readonly ofLine: (value: unknown) => Request
  readonly headers: Readonly<Record<string, string>>
}

/** Throws UsageError. */
export function readRequests(method: string | undefined, words: readonly string[], options: RequestOptions): Requests {
  const context = options.context === undefined ? {} : readObject(options.context, '--context')
  const headers = readPairs(options.header, '--header')
  const { from } = options
  if (method === '') throw new UsageError('The method needs a name')
  if (from === undefined) {
    if (method === undefined) throw new UsageError('Which method? Name it, or give --from with a file that does')
    return { one: { method, args: readWords(words, 'Arguments'), context }, ofLine: () => never(), headers }
  }
  if (words.length > 0) throw new UsageError('--from has the arguments in its lines; take them off the command line')
  return {
    one: null,
    headers,
    ofLine: (value) => {
      if (!isRecord(value)) throw new Error('a line must be a JSON object')
      if (method !== undefined) return { method, args: value, context }
      const { method: own, args = {}, context: more = {} } = value
      if (typeof own !== 'string' || own === '') throw new Error('the line has no "method"')
      if (!isRecord(args) || !isRecord(more)) throw new Error('"args" and "context" must be objects')
      return { method: own, args, context: { ...context, ...more } }
    },
  }
}

function never(): Request {
  throw new Error('There are no lines')
}

/** A client of what the options name. */
export function clientOf(
  transport: Transport,
  topic: string,
  options: RequestOptions & { readonly monitor?: number },
  fanout: boolean,
): CallContext {
  const { exchange = null, namespace = null, version = null, server = null, retry, atLeastOnce, monitor } = options
  return getRpcClient(
    transport,
    { topic, exchange, namespace, version, server, fanout },
    {
      timeoutMs: options.timeout * 1000,
      retry: retry ?? null,
      callMonitorTimeoutMs: monitor === undefined ? null : monitor * 1000,
      transportOptions: { atLeastOnce },
    },
  )
}
