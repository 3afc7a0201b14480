import { InvalidTarget } from '../errors.ts'
import { isPromiseLike } from '../serializer/serializer.ts'
import { Target } from '../target.ts'
import { kindOf } from '../util/check.ts'

/** What each use of a target needs (INVENTORY T24, G2). `user` begins the sentence: "A listener". */
export function requireTopic(target: Target, user: string): void {
  requireTarget(target, user)
  if (isBlank(target.topic)) throw new InvalidTarget(`${user} needs a target with a topic`, target)
}

/** An RPC server answers to its topic and to its own name. */
export function requireServerTarget(target: Target): void {
  requireTopic(target, 'An RPC server')
  if (isBlank(target.server)) throw new InvalidTarget('An RPC server needs a target with a server name', target)
}

/** Programmer's misuse, so a TypeError. */
export function requireTarget(target: unknown, user: string): asserts target is Target {
  if (!(target instanceof Target)) throw new TypeError(`${user} needs a Target, not ${kindOf(target)}`)
}

/** The usual mistake is the missing `await` of what makes it. Structural, because two copies of the library may meet. */
export function requireTransport(transport: unknown, user: string): void {
  if (typeof transport === 'object' && transport !== null && 'warnUnlessKind' in transport) return
  const hint = isPromiseLike(transport) ? ': await it first' : ''
  throw new TypeError(
    `${user} needs the transport that getRpcTransport or getNotificationTransport gives, not ${kindOf(transport)}${hint}`,
  )
}

/** Without a topic nobody knows where to; an empty one is none. */
export function isBlank(value: string | null): boolean {
  return value === null || value === ''
}

export function noTopicError(target: Target): InvalidTarget {
  return new InvalidTarget('A message needs a target with a topic', target)
}
