import { type Context, propagation, ROOT_CONTEXT, type TextMapGetter } from '@opentelemetry/api'

type Carrier = Readonly<Record<string, unknown>>

/** Contexts of requests hold anything; trace context is text. */
const GETTER: TextMapGetter<Carrier> = {
  keys: (carrier) => Object.keys(carrier),
  get: (carrier, key) => {
    const value = carrier[key]
    return typeof value === 'string' ? value : undefined
  },
}

/** The keys that Python puts into request contexts. */
const KEYS = ['traceparent', 'tracestate', 'baggage']

/** The sender's trace context: from the headers beside the message, else from the request context, where Python has
 *  it. */
export function extract(headers: Carrier, requestContext: object): Context {
  const carrier = KEYS.some((key) => key in headers) ? headers : (requestContext as Carrier)
  return propagation.extract(ROOT_CONTEXT, carrier, GETTER)
}

/** A copy of the request context with the trace context in it, for peers that look there. What is no plain object, and
 *  might be more than its fields, is left as it is. */
export function withTraceContext(requestContext: object, active: Context): object {
  const prototype: unknown = Object.getPrototypeOf(requestContext)
  if (prototype !== Object.prototype && prototype !== null) return requestContext
  const copy: Record<string, unknown> = { ...requestContext }
  for (const key of KEYS) delete copy[key]
  propagation.inject(active, copy)
  return copy
}
