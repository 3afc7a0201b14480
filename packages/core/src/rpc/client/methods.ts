/** The methods of an interface as a client sees them: name to function of one object with the named arguments. An interface fits, so does a type.
 *  Only the compiler reads it; the wire knows names and values. */
export type AnyMethods = Readonly<Record<string, (args?: Readonly<Record<string, unknown>>) => unknown>>

/** Names in `Methods` that can be called. */
export type MethodName<Methods> = {
  [K in keyof Methods]: Methods[K] extends (...args: never[]) => unknown ? K : never
}[keyof Methods] &
  string

type ParametersOf<F> = F extends (...args: infer P) => unknown ? P : never

/** What follows the method's name in a call or cast: its arguments, which may be left out where the method needs none, then the options. */
export type CallArguments<F, Options> =
  ParametersOf<F> extends readonly []
    ? [args?: Readonly<Record<string, never>>, options?: Options]
    : [] extends ParametersOf<F>
      ? [args?: Exclude<ParametersOf<F>[0], undefined>, options?: Options]
      : [args: ParametersOf<F>[0], options?: Options]

/** What a call resolves to. */
export type CallResult<F> = F extends (...args: never[]) => infer R ? Awaited<R> : never

/** The client's view of an endpoint's class: its methods without the context and the call. */
export type EndpointMethods<Endpoint> = {
  [K in keyof Endpoint as Endpoint[K] extends (...args: never[]) => unknown ? K : never]: Endpoint[K] extends (
    context: never,
    ...rest: infer P
  ) => infer R
    ? P extends readonly [infer Args, ...unknown[]]
      ? (args: Args) => R
      : () => R
    : never
}
