import { NoSuchMethod, SerializationError, UnsupportedVersion } from '../../errors.ts'
import { mapValues, type Serializer } from '../../serializer/serializer.ts'
import { isPromiseLike } from '../../util/promise.ts'
import { NoOpSerializer } from '../../serializer/no-op-serializer.ts'
import type { MessageContext } from '../../driver/messages.ts'
import {
  DefaultRPCAccessPolicy,
  isPolicyClass,
  type RPCAccessPolicyBase,
  type RPCAccessPolicyClass,
} from './access-policy.ts'
import { findArgumentMismatch } from './declare-arguments.ts'
import { type Endpoint, type EndpointMethod, type RPCCall, type ResolvedEndpoint, resolveEndpoint } from './endpoint.ts'
import { checkList, kindOf } from '../../util/check.ts'
import { suggest } from '../../util/suggest.ts'
import { isVersionCompatible } from '../version.ts'
import { rememberCall } from '../call-of-context.ts'

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
  /** Of the endpoint, for messages. */
  readonly name: string
  readonly run: EndpointMethod
}

/** One way to call a method: a line of `server.methods`. */
export interface ServedMethod<Name extends string = string> {
  readonly name: Name
  /** null: the namespace of requests that name none. */
  readonly namespace: string | null
  /** `major.minor`: requests for this version and for lower minors are served. */
  readonly version: string
  /** For people: the name of the endpoint's class, or its place in the list. */
  readonly endpoint: string
}

/** How a dispatcher decides what clients may call. */
export interface DispatcherOptions {
  readonly accessPolicy?: RPCAccessPolicyClass | undefined
  /** Nothing but these, of what the endpoints offer. */
  readonly exposes?: Readonly<Record<string, true>> | undefined
}

const NO_ARGUMENTS: Readonly<Record<string, unknown>> = Object.freeze({})
const DEFAULT_VERSION = '1.0'

/** Finds the endpoint that serves a request and runs its method. Knows nothing of brokers and replies. */
export class RPCDispatcher {
  readonly #endpoints: readonly ResolvedEndpoint[]
  readonly #policy: RPCAccessPolicyBase
  readonly #exposes: Readonly<Record<string, true>> | undefined
  readonly #serializer: Serializer
  readonly #isPlain: boolean

  /** Throws TypeError for endpoints that are none or offer nothing, for a policy that is no class of
   *  RPCAccessPolicyBase, and for names in `exposes` that no endpoint has. */
  constructor(endpoints: readonly Endpoint[], serializer: Serializer, options: DispatcherOptions = {}) {
    checkList('The endpoints of an RPC server', endpoints, '[new MyEndpoint()]')
    if (endpoints.length === 0)
      throw new TypeError('An RPC server needs endpoints with the methods that clients call, and the list is empty')
    this.#endpoints = endpoints.map((endpoint, index) => resolveEndpoint(endpoint, index))
    this.#policy = makePolicy(options.accessPolicy ?? DefaultRPCAccessPolicy)
    this.#exposes = options.exposes
    checkExposed(options.exposes, this.#endpoints)
    this.#serializer = serializer
    this.#isPlain = serializer.constructor === NoOpSerializer
  }

  /** Everything that clients may call now, in the order of the endpoints. */
  get methods(): readonly ServedMethod[] {
    return this.#endpoints.flatMap((resolved) =>
      resolved.acceptedNamespaces.flatMap((namespace) =>
        [...resolved.offered]
          .filter((name) => this.#isAllowed(resolved, name))
          .map((name) => ({ name, namespace, version: resolved.version, endpoint: resolved.name })),
      ),
    )
  }

  /** What the endpoints have and clients cannot call: `Endpoint.name` and the reason. */
  get notOffered(): Readonly<Record<string, string>> {
    const rows = this.#endpoints.flatMap((resolved) => [
      ...[...resolved.withheld].map(([name, reason]) => [`${resolved.name}.${name}`, reason] as const),
      ...[...resolved.offered]
        .filter((name) => !this.#isAllowed(resolved, name))
        .map((name) => [`${resolved.name}.${name}`, this.#whyRefused(name)] as const),
    ])
    return Object.fromEntries(rows)
  }

  /** Why a method that some endpoint has cannot be called; undefined when none has it, or it can. For logs: clients
   *  need not know. */
  whyNotOffered(method: string): string | undefined {
    return Object.entries(this.notOffered).find(([name]) => name.endsWith(`.${method}`))?.[1]
  }

  /** For the one line that says that nothing can be called; undefined when something can. */
  get emptiness(): string | undefined {
    if (this.methods.length > 0) return undefined
    const names = this.#endpoints.flatMap(({ offered }) => [...offered])
    const remedy =
      this.#policy instanceof DefaultRPCAccessPolicy
        ? 'names that begin with _ are not for clients'
        : 'mark with expose what clients may call'
    return `${this.#policy.constructor.name} hides every method of the endpoints: ${names.join(', ')}; ${remedy}`
  }

  #isAllowed({ endpoint }: ResolvedEndpoint, method: string): boolean {
    if (this.#exposes !== undefined && !Object.hasOwn(this.#exposes, method)) return false
    return this.#policy.isAllowed(endpoint, method)
  }

  #whyRefused(method: string): string {
    if (this.#exposes !== undefined && !Object.hasOwn(this.#exposes, method))
      return 'the list of what the server exposes does not have it'
    return `${this.#policy.constructor.name} hides it`
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
   *  Throws UnsupportedVersion when no namespace and version fits, NoSuchMethod when one does and the method is missing
   *  or hidden. */
  find(request: CheckedRequest): FoundMethod {
    let fits = false
    for (const resolved of this.#endpoints) {
      const { endpoint, name, acceptedNamespaces, version, offered } = resolved
      if (!acceptedNamespaces.includes(request.namespace) || !serves(version, request.version)) continue
      fits = true
      if (!offered.has(request.method) || !this.#isAllowed(resolved, request.method)) continue
      const run = (endpoint as Readonly<Record<string, unknown>>)[request.method]
      if (typeof run === 'function') return { endpoint, name, run: run as EndpointMethod }
    }
    if (fits) throw new NoSuchMethod(request.method)
    throw new UnsupportedVersion(request.version, request.method)
  }

  /** Runs the method and gives its serialized result: a value or a promise of it. Whatever the method throws, or its
   *  promise rejects with, comes out as it is. */
  invoke(found: FoundMethod, request: CheckedRequest, context: MessageContext, call: RPCCall): unknown {
    if (this.#isPlain) {
      rememberCall(context, call)
      return run(found, request, context, call)
    }
    return this.#invokeSerialized(found, request, context, call)
  }

  /** A promise only where the serializer or the method gives one, so that requests begin in the order in which they
   *  came. */
  #invokeSerialized(found: FoundMethod, request: CheckedRequest, sent: MessageContext, call: RPCCall): unknown {
    const serializer = this.#serializer
    const context = serializer.deserializeContext(sent)
    if (isPromiseLike(context)) return this.#invokeLater(found, request, context, call)
    rememberCall(context, call)
    const args = mapValues(request.args, (value) => serializer.deserializeEntity(context, value))
    if (isPromiseLike(args)) return this.#invokeLater(found, request, context, call, args)
    const result = run(found, { ...request, args }, context, call)
    if (!isPromiseLike(result)) return serializer.serializeEntity(context, result)
    return result.then((settled) => serializer.serializeEntity(context, settled))
  }

  /** For serializers that take their time. */
  async #invokeLater(
    found: FoundMethod,
    request: CheckedRequest,
    sent: object | PromiseLike<object>,
    call: RPCCall,
    deserialized?: PromiseLike<CheckedRequest['args']>,
  ): Promise<unknown> {
    const serializer = this.#serializer
    const context = await sent
    rememberCall(context, call)
    const args = await (deserialized ??
      mapValues(request.args, (value) => serializer.deserializeEntity(context, value)))
    const result = await run(found, { ...request, args }, context, call)
    return await serializer.serializeEntity(context, result)
  }
}

function run(
  { endpoint, name, run }: FoundMethod,
  { method, args }: CheckedRequest,
  context: object,
  call: RPCCall,
): unknown {
  const mismatch = findArgumentMismatch(run, args)
  // The function itself may have no name: `go = declareArguments([...], (context, args) => ...)`.
  if (mismatch !== undefined) throw new TypeError(`${name}.${method}() ${mismatch}`)
  return Reflect.apply(run, endpoint, [context, args, call])
}

function checkExposed(exposes: unknown, endpoints: readonly ResolvedEndpoint[]): void {
  if (exposes === undefined) return
  if (typeof exposes !== 'object' || exposes === null || Array.isArray(exposes))
    throw new TypeError(
      `exposes must be an object with the names of methods such as { add: true }, not ${kindOf(exposes)}`,
    )
  const known = new Set(endpoints.flatMap(({ offered }) => [...offered]))
  for (const [name, value] of Object.entries(exposes)) {
    if (value !== true) throw new TypeError(`exposes.${name} must be true, as in { add: true }, not ${kindOf(value)}`)
    if (known.has(name)) continue
    const meant = suggest(name, known)
    throw new TypeError(
      `exposes names ${name}, which no endpoint offers${meant === undefined ? `: they offer ${[...known].join(', ')}` : `; did you mean ${meant}?`}`,
    )
  }
}

function makePolicy(PolicyClass: unknown): RPCAccessPolicyBase {
  if (!isPolicyClass(PolicyClass))
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
