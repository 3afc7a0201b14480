import { InvalidTarget } from '../errors.ts'
import { isPromiseLike } from '../util/promise.ts'
import { Target, type TargetFields } from '../target.ts'
import { kindOf } from '../util/check.ts'

/** Where a transport keeps its bus. Registered, so that the transports of another copy of the library are known. */
export const BUS: unique symbol = Symbol.for('oslo-messaging.bus')

/** What each use of a target needs. `user` begins the sentence: "A listener". */
export function requireTopic(target: Target, user: string): void {
  if (isBlank(target.topic))
    throw new InvalidTarget(
      `${user} needs a target with a topic, such as { topic: 'compute' }; it is ${shown(target.topic)}`,
      target,
    )
}

/** An RPC server answers to its topic and to its own name. */
export function requireServerTarget(target: Target): void {
  requireTopic(target, 'An RPC server')
  if (isBlank(target.server))
    throw new InvalidTarget(
      `An RPC server needs a target with a server name, which tells it from the others of the topic, such as { topic: '${target.topic}', server: 'node1' }; it is ${shown(target.server)}`,
      target,
    )
}

/** The target that was given, as a Target, as its fields, or as the Target of another copy of the library.
 *  Throws TypeError for what is neither, InvalidTarget that names the field which cannot be. */
export function readTarget(target: unknown, user: string): Target {
  if (target instanceof Target) return target
  if (typeof target !== 'object' || target === null || Array.isArray(target))
    throw new TypeError(`${user} needs a target such as { topic: 'compute' }, not ${kindOf(target)}`)
  // Copies of a Target have its accepted namespaces, the own one first, instead of the legacy ones.
  const { acceptedNamespaces, ...fields } = target as TargetFields & Pick<Target, 'acceptedNamespaces'>
  const legacyNamespaces = fields.legacyNamespaces ?? acceptedNamespaces?.slice(1)
  return new Target(legacyNamespaces === undefined ? fields : { ...fields, legacyNamespaces })
}

/** The usual mistake is the missing `await` of what makes it. Structural, because two copies of the library may
 *  meet. */
export function requireTransport(transport: unknown, user: string): void {
  if (typeof transport === 'object' && transport !== null && BUS in transport) return
  const hint = isPromiseLike(transport) ? ': await it first' : ''
  throw new TypeError(
    `${user} needs the transport that getRpcTransport or getNotificationTransport gives, not ${kindOf(transport)}${hint}`,
  )
}

/** Without a topic nobody knows where to; an empty one is none. */
export function isBlank(value: string | null): boolean {
  return value === null || value === ''
}

function shown(value: string | null): string {
  return value === null ? 'null' : 'empty text'
}

export function noTopicError(target: Target): InvalidTarget {
  return new InvalidTarget('A message needs a target with a topic', target)
}
