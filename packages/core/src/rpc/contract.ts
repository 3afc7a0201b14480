import type { MessageContext } from '../driver/messages.ts'
import type { TargetFields } from '../target.ts'
import type { OnTheWire } from './on-the-wire.ts'
import type { RPCCall } from './server/endpoint.ts'

/** The methods of an interface as a client sees them: name to function of one object with the named arguments. An
 *  interface fits, so does a type.
 *  Only the compiler reads it; the wire knows names and values. */
export type AnyMethods = Readonly<Record<string, (args?: Readonly<Record<string, unknown>>) => unknown>>

type AnyFunction = (...args: never[]) => unknown

/** Names of an interface that can be called: its methods, but for those that begin with `_`, which servers hide. */
export type MethodName<Methods> = {
  [K in keyof Methods]: Methods[K] extends AnyFunction ? (K extends `_${string}` ? never : K) : never
}[keyof Methods] &
  string

type ParametersOf<F> = F extends (...args: infer P) => unknown ? P : never
type ResultOf<F> = F extends (...args: never[]) => infer R ? Awaited<R> : never

/** What follows the method's name in a call or cast: its arguments, which may be left out where the method needs none,
 *  then the options. */
export type CallArguments<F, Options> =
  ParametersOf<F> extends readonly []
    ? [args?: Readonly<Record<string, never>>, options?: Options]
    : [] extends ParametersOf<F>
      ? [args?: Exclude<ParametersOf<F>[0], undefined>, options?: Options]
      : [args: ParametersOf<F>[0], options?: Options]

/** What a call resolves to: what arrives of the method's result. */
export type CallResult<F> = OnTheWire<ResultOf<F>>

/** The context that calls and casts take: null stands for an empty one, where the interface allows that. */
export type CallContextArgument<Ctx extends object> = Partial<Ctx> extends Ctx ? Ctx | null : Ctx

/** Names of a class that are no part of its interface: what JavaScript and frameworks call, and `target`. */
type NeverOffered =
  | 'constructor'
  | 'then'
  | 'catch'
  | 'finally'
  | 'toJSON'
  | 'toString'
  | 'toLocaleString'
  | 'valueOf'
  | 'target'
  | 'close'
  | 'dispose'
  | 'destroy'
type Hook = `${'on' | 'before' | 'after'}${'Module' | 'Application'}${string}`

type OfferedName<Endpoint> = Exclude<MethodName<Endpoint>, NeverOffered | Hook>

/** The client's view of an endpoint's class: its methods without the context and the call. */
export type EndpointMethods<Endpoint> = {
  [K in OfferedName<Endpoint>]: Endpoint[K] extends (context: never, ...rest: infer P) => infer R
    ? P extends readonly [infer Args, ...unknown[]]
      ? (args: Args) => R
      : () => R
    : never
}

/** The request context that the methods of an endpoint's class need, for its clients:
 *  `getRpcClient<EndpointMethods<Compute>, EndpointContext<Compute>>`. */
export type EndpointContext<Endpoint> =
  ContextConsumers<Endpoint> extends infer F
    ? [F] extends [(context: infer C) => void]
      ? C extends object
        ? C
        : object
      : object
    : never

/** Functions of each method's context; inferring from all of them at once gives what fits every one. */
type ContextConsumers<Endpoint> = {
  [K in OfferedName<Endpoint>]: Endpoint[K] extends (context: infer C, ...rest: never[]) => unknown
    ? unknown extends C
      ? never
      : (context: C) => void
    : never
}[OfferedName<Endpoint>]

/** The endpoint that serves an interface: each of its methods, with the request context and the call around the
 *  arguments. The arguments are what arrives of them.
 *  Parameters need no annotation: `{ build: (context, { name }) => ... }`. */
export type EndpointFor<Api extends object, Ctx extends object = MessageContext> = ServedMethods<Api, Ctx> &
  EndpointTarget

/** One endpoint for the whole interface, or a list of endpoints that have it together. */
export type EndpointsFor<Api extends object, Ctx extends object = MessageContext> =
  | EndpointFor<Api, Ctx>
  | readonly EndpointFor<Api, Ctx>[]
  | readonly [EndpointPart<Api, Ctx>, EndpointPart<Api, Ctx>, ...EndpointPart<Api, Ctx>[]]

type EndpointPart<Api extends object, Ctx extends object> = Partial<ServedMethods<Api, Ctx>> & EndpointTarget

interface EndpointTarget {
  /** Namespace, version and legacy namespaces that the endpoint serves. Default: no namespace, version 1.0. */
  readonly target?: TargetFields | null | undefined
}

type ServedMethods<Api extends object, Ctx extends object> = {
  readonly [K in MethodName<Api>]: (
    context: Ctx,
    args: ReceivedArguments<Api[K]>,
    call: RPCCall,
  ) => Answer<ResultOf<Api[K]>>
}

/** Left out by the client, arguments arrive as an empty object. */
type ReceivedArguments<F> =
  ParametersOf<F> extends readonly []
    ? Readonly<Record<string, never>>
    : [] extends ParametersOf<F>
      ? Partial<OnTheWire<Exclude<ParametersOf<F>[0], undefined>>>
      : OnTheWire<ParametersOf<F>[0]>

/** The result as declared, or as it will arrive. */
type Answer<R> = R | OnTheWire<R> | PromiseLike<R | OnTheWire<R>>
