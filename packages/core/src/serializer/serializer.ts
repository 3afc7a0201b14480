import type { MessageContext } from '../driver/messages.ts'
import { checkMethods } from '../util/check.ts'
import { isPromiseLike } from '../util/promise.ts'

/** Turns the application's values into JSON values and back. Given to clients, servers, notifiers and listeners.
 *
 *  Each method may return a promise; where it does not, nothing is awaited. A rejection or exception fails the
 *  operation it belongs to.
 *
 *  | where    | order |
 *  |----------|-------|
 *  | client   | each argument, then the context; the result |
 *  | server   | the context; each argument and the result, with the deserialized context |
 *  | notifier | the payload with the context as given, then the redacted context |
 *  | listener | the context, then the payload with the deserialized context |
 *
 *  Source: oslo_messaging/serializer.py. */
export interface Serializer {
  /** An argument, a result or a payload before it is sent: gives a JSON value (what `encodeJson` takes), or a promise
   *  of one. */
  serializeEntity(ctxt: object, entity: unknown): unknown
  /** The other way, after it was received. */
  deserializeEntity(ctxt: object, entity: unknown): unknown
  /** The request context before it is sent: gives a simple object. */
  serializeContext(ctxt: object): MessageContext | PromiseLike<MessageContext>
  /** The request context as endpoints are to see it. */
  deserializeContext(ctxt: MessageContext): object | PromiseLike<object>
}

const METHODS: readonly (keyof Serializer)[] = [
  'serializeEntity',
  'deserializeEntity',
  'serializeContext',
  'deserializeContext',
]

/** Throws TypeError for something that is given and is no serializer. */
export function checkSerializer(serializer: unknown): void {
  checkMethods('serializer', serializer, METHODS)
}

/** The same names with other values; a promise only when one of the values is a promise. */
export function mapValues(
  values: Readonly<Record<string, unknown>>,
  change: (value: unknown) => unknown,
): Readonly<Record<string, unknown>> | Promise<Readonly<Record<string, unknown>>> {
  const names = Object.keys(values)
  const changed = names.map((name) => change(values[name]))
  return changed.some(isPromiseLike)
    ? Promise.all(changed).then((settled) => named(names, settled))
    : named(names, changed)
}

/** fromEntries defines, so that a value named `__proto__` stays one. */
function named(names: readonly string[], values: readonly unknown[]): Readonly<Record<string, unknown>> {
  return Object.fromEntries(names.map((name, index) => [name, values[index]]))
}
