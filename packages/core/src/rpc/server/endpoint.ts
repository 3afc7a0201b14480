import { EventEmitter } from 'node:events'
import type { MessageContext } from '../../driver/messages.ts'
import { Target } from '../../target.ts'
import { isVersion } from '../version.ts'

/** An object whose methods clients call: its own functions and those of its classes. Optional `target` with namespace, version and legacy namespaces.
 *  A method gets the context, the named arguments in one object, and the call. It returns the result or a promise of it. */
export type Endpoint = object

/** What a method may want to know of the call it serves: its third parameter. */
export interface RPCCall {
  /** Aborts when the broker takes the request away, or the transport closes without waiting longer, so that the method may stop. */
  readonly signal: AbortSignal
  /** False for a cast: nobody waits for the result. */
  readonly expectsReply: boolean
  /** Transport headers as they arrived: trace context and the like. */
  readonly headers: Readonly<Record<string, string>>
  /** The broker has delivered this request before. Undefined: it does not say. */
  readonly redelivered: boolean | undefined
}

/** The shape of a method of an endpoint. */
export type EndpointMethod<Args = never, Result = unknown> = (
  context: MessageContext,
  args: Args,
  call: RPCCall,
) => Result

/** An endpoint as the dispatcher keeps it. */
export interface ResolvedEndpoint {
  readonly endpoint: Endpoint
  readonly acceptedNamespaces: readonly (string | null)[]
  readonly version: string
}

const DEFAULT_VERSION = '1.0'
const DEFAULT_NAMESPACES: readonly (string | null)[] = [null]

/** Reads an endpoint's target. Throws TypeError when it is no object, or its `target` no Target (INVENTORY D2). */
export function resolveEndpoint(endpoint: unknown): ResolvedEndpoint {
  if ((typeof endpoint !== 'object' && typeof endpoint !== 'function') || endpoint === null)
    throw new TypeError(
      `An endpoint must be an object with methods, not ${endpoint === null ? 'null' : typeof endpoint}`,
    )
  if (isClassWithInstanceMethods(endpoint))
    throw new TypeError(`${endpoint.name} is a class and its methods belong to instances: give new ${endpoint.name}()`)
  const target: unknown = 'target' in endpoint ? endpoint.target : undefined
  if (target === undefined || target === null)
    return { endpoint, acceptedNamespaces: DEFAULT_NAMESPACES, version: DEFAULT_VERSION }
  if (!(target instanceof Target))
    throw new TypeError(`The target of endpoint ${nameOf(endpoint)} must be a Target, not ${typeof target}`)
  if (target.version !== null && !isVersion(target.version))
    throw new TypeError(
      `The version of endpoint ${nameOf(endpoint)} must be major.minor such as 1.0, not ${target.version}`,
    )
  return {
    endpoint,
    acceptedNamespaces: target.acceptedNamespaces,
    version: target.version ?? DEFAULT_VERSION,
  }
}

/** True for a class that serves nothing as it is, because only its instances have methods. */
function isClassWithInstanceMethods(endpoint: object): endpoint is Function & object {
  if (typeof endpoint !== 'function') return false
  const prototype: unknown = endpoint.prototype
  const own = (object: object): string[] =>
    Object.getOwnPropertyNames(object).filter((name) => findMethod(object, name) !== undefined)
  return typeof prototype === 'object' && prototype !== null && own(prototype).length > 0 && own(endpoint).length === 0
}

/** Where the application's code ends and the platform's begins: functions from here on are nobody's interface. */
const PLATFORM: ReadonlySet<object> = new Set<object>([
  Object.prototype,
  Function.prototype,
  Array.prototype,
  Map.prototype,
  Set.prototype,
  Promise.prototype,
  Error.prototype,
  EventTarget.prototype,
  EventEmitter.prototype,
])

/** The function that serves `method`: an own one of the endpoint or of its classes. Never `constructor`, never a getter (it is not even run), nothing of the platform (DESIGN D11). */
export function findMethod(endpoint: Endpoint, method: string): EndpointMethod | undefined {
  if (method === 'constructor' || method === '__proto__' || method === 'target') return undefined
  for (
    let owner: object | null = endpoint;
    owner !== null && !PLATFORM.has(owner);
    owner = Object.getPrototypeOf(owner) as object | null
  ) {
    if (!Object.hasOwn(owner, method)) continue
    const value: unknown = Object.getOwnPropertyDescriptor(owner, method)?.value
    return typeof value === 'function' ? (value as EndpointMethod) : undefined
  }
  return undefined
}

/** The endpoint's class name, for messages. */
export function nameOf(endpoint: Endpoint): string {
  const Class: unknown = endpoint.constructor
  return typeof Class === 'function' && Class.name !== '' ? Class.name : 'endpoint'
}
