import { NoSuchMethod, SerializationError, UnsupportedVersion } from '../../errors.ts'
import type { Serializer } from '../../serializer/serializer.ts'
import { NoOpSerializer } from '../../serializer/no-op-serializer.ts'
import type { MessageContext } from '../../driver/messages.ts'
import { DefaultRPCAccessPolicy, RPCAccessPolicyBase, type RPCAccessPolicyClass } from './access-policy.ts'
import {
  type Endpoint,
  type EndpointMethod,
  findMethod,
  nameOf,
  type RPCCall,
  type ResolvedEndpoint,
  resolveEndpoint,
} from './endpoint.ts'
import { checkList, kindOf } from '../../util/check.ts'
import { findArgumentMismatch } from './expose.ts'
import { isVersionCompatible } from '../version.ts'

/** A request whose parts were checked. */
export interface CheckedRequest {
  readonly method: string
  readonly args: Readonly<Record<string, unknown>>
  readonly namespace: string | null
  readonly version: string
}

/** A method that was found, with what it belongs to. */
export interface FoundMethod {
  readonly endpoint: Endpoint
  readonly run: EndpointMethod
}

const NO_ARGUMENTS: Readonly<Record<string, unknown>> = Object.freeze({})
const DEFAULT_VERSION = '1.0'

/** Finds the endpoint that serves a request and runs its method (INVENTORY D1 to D6). Knows nothing of brokers and replies. */
export class RPCDispatcher {
  readonly #endpoints: readonly ResolvedEndpoint[]
  readonly #policy: RPCAccessPolicyBase
  readonly #serializer: Serializer
  readonly #isPlain: boolean

  /** Throws TypeError for endpoints that are none and for a policy that is no class of RPCAccessPolicyBase. */
  constructor(
    endpoints: readonly Endpoint[],
    serializer: Serializer,
    PolicyClass: RPCAccessPolicyClass = DefaultRPCAccessPolicy,
  ) {
    checkList('The endpoints of an RPC server', endpoints, '[new MyEndpoint()]')
    this.#endpoints = endpoints.map((endpoint) => resolveEndpoint(endpoint))
    this.#policy = makePolicy(PolicyClass)
    this.#serializer = serializer
    this.#isPlain = serializer.constructor === NoOpSerializer
  }

  /** Whether any endpoint has a method of that name, allowed or not. */
  hasMethod(method: string): boolean {
    return this.#endpoints.some(({ endpoint }) => findMethod(endpoint, method) !== undefined)
  }

  /** The parts of a request as it came. Throws SerializationError that names the part which is not as it must be. */
  check(message: Readonly<Record<string, unknown>>): CheckedRequest {
    const { method, args, namespace, version } = message
    if (typeof method !== 'string' || method === '') throw malformed('method', 'a name', method)
    if (args !== undefined && args !== null && (typeof args !== 'object' || Array.isArray(args)))
      throw malformed('args', 'an object', args)
    if (namespace !== undefined && namespace !== null && typeof namespace !== 'string')
      throw malformed('namespace', 'a text', namespace)
    if (version !== undefined && version !== null && typeof version !== 'string')
      throw malformed('version', 'a text', version)
    return {
      method,
      args: (args as Readonly<Record<string, unknown>> | null | undefined) ?? NO_ARGUMENTS,
      namespace: namespace ?? null,
      version: version ?? DEFAULT_VERSION,
    }
  }

  /** The first endpoint, in order, whose namespace and version fit and that has the method and may show it.
   *  Throws UnsupportedVersion when no namespace and version fits, NoSuchMethod when one does and the method is missing or hidden. */
  find(request: CheckedRequest): FoundMethod {
    let fits = false
    for (const { endpoint, acceptedNamespaces, version } of this.#endpoints) {
      if (!acceptedNamespaces.includes(request.namespace) || !serves(version, request.version)) continue
      fits = true
      const run = findMethod(endpoint, request.method)
      if (run !== undefined && this.#policy.isAllowed(endpoint, request.method)) return { endpoint, run }
    }
    if (fits) throw new NoSuchMethod(request.method)
    throw new UnsupportedVersion(request.version, request.method)
  }

  /** Runs the method and gives its serialized result: a value or a promise of it. Whatever the method throws, or its promise rejects with, comes out as it is. */
  invoke(found: FoundMethod, request: CheckedRequest, context: MessageContext, call: RPCCall): unknown {
    if (this.#isPlain) return run(found, request, context, call)
    return this.#invokeSerialized(found, request, context, call)
  }

  async #invokeSerialized(
    found: FoundMethod,
    request: CheckedRequest,
    sent: MessageContext,
    call: RPCCall,
  ): Promise<unknown> {
    const serializer = this.#serializer
    const context = await serializer.deserializeContext(sent)
    const entries: [string, unknown][] = []
    for (const [name, value] of Object.entries(request.args))
      entries.push([name, await serializer.deserializeEntity(context, value)])
    // fromEntries defines, so that an argument named `__proto__` stays one.
    const result = await run(found, { ...request, args: Object.fromEntries(entries) }, context, call)
    return await serializer.serializeEntity(context, result)
  }
}

function run(
  { endpoint, run }: FoundMethod,
  { method, args }: CheckedRequest,
  context: object,
  call: RPCCall,
): unknown {
  const mismatch = findArgumentMismatch(run, args)
  // The function itself may have no name: `go = declareArguments([...], (context, args) => ...)`.
  if (mismatch !== undefined) throw new TypeError(`${nameOf(endpoint)}.${method}() ${mismatch}`)
  return Reflect.apply(run, endpoint, [context, args, call])
}

function makePolicy(PolicyClass: RPCAccessPolicyClass): RPCAccessPolicyBase {
  if (typeof PolicyClass !== 'function' || !(PolicyClass.prototype instanceof RPCAccessPolicyBase))
    throw new TypeError('accessPolicy must be a class that extends RPCAccessPolicyBase, not an instance')
  return new PolicyClass()
}

/** A version nobody can read is served by nobody: the client gets UnsupportedVersion with what it asked for. */
function serves(implemented: string, requested: string): boolean {
  if (implemented === requested) return true
  try {
    return isVersionCompatible(implemented, requested)
  } catch (error) {
    if (error instanceof Error) return false
    throw error
  }
}

function malformed(part: string, expected: string, value: unknown): SerializationError {
  const found = value === undefined ? 'missing' : value === '' ? 'empty' : kindOf(value)
  return new SerializationError(`The RPC request cannot be read: its ${part} must be ${expected} and is ${found}`)
}
