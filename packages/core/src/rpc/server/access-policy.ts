import { type Endpoint, findMethod } from './endpoint.ts'
import { isExposed } from './expose.ts'

/** Decides which methods of an endpoint clients may call. What it hides is reported as NoSuchMethod (INVENTORY D7 to D10). */
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

/** Everything. */
export class LegacyRPCAccessPolicy extends RPCAccessPolicyBase {
  isAllowed(): boolean {
    return true
  }
}

/** Only what `expose` marks. */
export class ExplicitRPCAccessPolicy extends RPCAccessPolicyBase {
  isAllowed(endpoint: Endpoint, method: string): boolean {
    const found = findMethod(endpoint, method)
    return found !== undefined && isExposed(found)
  }
}
