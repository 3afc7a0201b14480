import { isProxy } from 'node:util/types'
import type { MessageContext } from '../../driver/messages.ts'
import type { Target } from '../../target.ts'
import { readTarget } from '../../transport/check-target.ts'
import { kindOf } from '../../util/check.ts'
import { isVersion } from '../version.ts'
import { type Exposure, exposureOf } from './exposure.ts'

/** An object whose methods clients call: a plain object with functions, or an instance of a class with methods. Fields
 *  that hold functions, methods of base classes that `expose` does not mark, and names that JavaScript or frameworks
 *  call by themselves are not offered. **A method that only TypeScript calls private is offered**: the word is
 *  gone at run time. Name it `#name` or `_name`, or give the server the list of what it `exposes`.
 *  Optional `target` with namespace, version and legacy namespaces. A method gets the context, the named arguments in
 *  one object, and the call; it returns the result or a promise of it. What is offered is settled when the server is
 *  made. */
export type Endpoint = object

/** What a method may want to know of the call it serves: its third parameter. */
export interface RPCCall {
  /** Aborts when nobody waits for the result any more, so that the method may stop: the caller's time is over (reason:
   *  MessagingTimeout), the broker takes the request away, or the transport closes without waiting longer. */
  readonly signal: AbortSignal
  /** Milliseconds the caller still waits for the reply, at most: its timeout as it wrote it, less the time since the
   *  request came here. 0: it is gone. null: unknown, as with casts.
   *  Calls that are made with the context of this one are given no more than this. */
  readonly remainingMs: number | null
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
export interface ResolvedEndpoint extends Exposure {
  readonly endpoint: Endpoint
  /** For messages: the name of its class, or its place in the list. */
  readonly name: string
  readonly acceptedNamespaces: readonly (string | null)[]
  readonly version: string
}

const DEFAULT_VERSION = '1.0'
const DEFAULT_NAMESPACES: readonly (string | null)[] = [null]
const EXAMPLE = '{ add: (context, { a, b }) => a + b }'

/** Reads an endpoint, `index` in the list of its server. Throws TypeError when it is no object, offers no method, or
 *  its `target` is no Target. */
export function resolveEndpoint(endpoint: unknown, index: number): ResolvedEndpoint {
  if ((typeof endpoint !== 'object' && typeof endpoint !== 'function') || endpoint === null)
    throw new TypeError(
      `An endpoint must be an object with methods such as ${EXAMPLE}, not ${kindOf(endpoint)} (endpoint ${index + 1})`,
    )
  const name = nameOf(endpoint) ?? `endpoint ${index + 1}`
  const exposure = exposureOf(endpoint)
  const { acceptedNamespaces, version } = versionOf(endpoint, name)
  if (exposure.offered.size === 0) throw new TypeError(`${name} offers no method: ${whyNothing(endpoint, exposure)}`)
  return { ...exposure, endpoint, name, acceptedNamespaces, version }
}

function versionOf(endpoint: object, name: string): Pick<ResolvedEndpoint, 'acceptedNamespaces' | 'version'> {
  const given: unknown = 'target' in endpoint ? endpoint.target : undefined
  if (given === undefined || given === null) return { acceptedNamespaces: DEFAULT_NAMESPACES, version: DEFAULT_VERSION }
  const target: Target = readTarget(given, `Endpoint ${name}`)
  if (target.version !== null && !isVersion(target.version))
    throw new TypeError(`The version of endpoint ${name} must be major.minor such as 1.0, not ${target.version}`)
  return { acceptedNamespaces: target.acceptedNamespaces, version: target.version ?? DEFAULT_VERSION }
}

function whyNothing(endpoint: object, { withheld }: Exposure): string {
  if (typeof endpoint === 'function')
    return `it is a class, and its methods belong to instances: give new ${endpoint.name}()`
  if (isProxy(endpoint))
    return 'it is a Proxy, and a server must know its methods by name: let ownKeys and getOwnPropertyDescriptor list them, or give an object that has them'
  const reasons = [...withheld].map(([method, reason]) => `${method} is not offered because ${reason}`)
  return reasons.length === 0
    ? `give an object such as ${EXAMPLE}, or an instance of a class with methods`
    : reasons.join('; ')
}

/** The name of an instance's class. */
function nameOf(endpoint: Endpoint): string | undefined {
  const Class: unknown = typeof endpoint === 'function' ? endpoint : endpoint.constructor
  return typeof Class === 'function' && Class.name !== '' && Class.name !== 'Object' ? Class.name : undefined
}
