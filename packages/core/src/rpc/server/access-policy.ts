import type { Endpoint } from './endpoint.ts'
import { declaredFunction } from './exposure.ts'
import { isExposed } from './marks.ts'

/** Decides which of the methods that an endpoint offers clients may call: it can hide some, and never adds any. What it hides is reported as NoSuchMethod. */
export abstract class RPCAccessPolicyBase {
  abstract isAllowed(endpoint: Endpoint, method: string): boolean
}

/** A policy as a server takes it: the class, not an instance. */
export type RPCAccessPolicyClass = new () => RPCAccessPolicyBase

/** Everything but names that begin with `_`. */
export class DefaultRPCAccessPolicy extends RPCAccessPolicyBase {
  isAllowed(_endpoint: Endpoint, method: string): boolean {
    return !method.startsWith('_')
  }
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
