import type { Endpoint } from './endpoint.ts'
import { declaredFunction } from './exposure.ts'
import { isExposed } from './marks.ts'

/** Registered, so that the classes of another copy of the library are known. */
const POLICY = Symbol.for('oslo-messaging.access-policy')

/** Decides which of the methods that an endpoint offers clients may call: it can hide some, and never adds any. What it
 *  hides is reported as NoSuchMethod. */
export abstract class RPCAccessPolicyBase {
  abstract isAllowed(endpoint: Endpoint, method: string): boolean

  static {
    Object.defineProperty(RPCAccessPolicyBase.prototype, POLICY, { value: true })
  }
}

/** A policy as a server takes it: the class, not an instance. */
export type RPCAccessPolicyClass = new () => RPCAccessPolicyBase

/** Everything but names that begin with `_`. */
export class DefaultRPCAccessPolicy extends RPCAccessPolicyBase {
  isAllowed(_endpoint: Endpoint, method: string): boolean {
    return !method.startsWith('_')
  }
}

/** Whether it is a class that extends RPCAccessPolicyBase, of whichever copy of the library. */
export function isPolicyClass(value: unknown): value is RPCAccessPolicyClass {
  if (typeof value !== 'function') return false
  const prototype: unknown = value.prototype
  return typeof prototype === 'object' && prototype !== null && POLICY in prototype
}

/** Everything that the endpoint offers, names that begin with `_` included. */
export class LegacyRPCAccessPolicy extends RPCAccessPolicyBase {
  isAllowed(): boolean {
    return true
  }
}

/** Only what `expose` marks. */
export class ExplicitRPCAccessPolicy extends RPCAccessPolicyBase {
  isAllowed(endpoint: Endpoint, method: string): boolean {
    const found = declaredFunction(endpoint, method)
    return found !== undefined && isExposed(found)
  }
}
