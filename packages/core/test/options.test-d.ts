import { describe, expectTypeOf, it } from 'vitest'
import type * as core from '../src/index.ts'

/** What may be left out, given as undefined: what a caller has who hands on an option of its own. */
type AllUndefined<Options> = { [K in keyof Options as {} extends Pick<Options, K> ? K : never]: undefined }

/** True when undefined is taken for each of them, also where the caller compiles with `exactOptionalPropertyTypes`. */
type TakesUndefined<Options> = AllUndefined<Options> extends Partial<Options> ? true : false

describe('options', () => {
  it('an option that may be left out may be undefined', () => {
    expectTypeOf<TakesUndefined<core.TargetFields>>().toEqualTypeOf<true>()
    expectTypeOf<TakesUndefined<core.TransportOptions>>().toEqualTypeOf<true>()
    expectTypeOf<TakesUndefined<core.RPCTransportOptions>>().toEqualTypeOf<true>()
    expectTypeOf<TakesUndefined<core.CloseOptions>>().toEqualTypeOf<true>()
    expectTypeOf<TakesUndefined<core.LoadConfigOptions>>().toEqualTypeOf<true>()
    expectTypeOf<TakesUndefined<core.DriverRegistryOptions>>().toEqualTypeOf<true>()
    expectTypeOf<TakesUndefined<core.GetRPCClientOptions>>().toEqualTypeOf<true>()
    expectTypeOf<TakesUndefined<core.PrepareOptions>>().toEqualTypeOf<true>()
    expectTypeOf<TakesUndefined<core.CallOptions>>().toEqualTypeOf<true>()
    expectTypeOf<TakesUndefined<core.CallTransportOptions>>().toEqualTypeOf<true>()
    expectTypeOf<TakesUndefined<core.GetRPCServerOptions>>().toEqualTypeOf<true>()
    expectTypeOf<TakesUndefined<core.StartOptions>>().toEqualTypeOf<true>()
    expectTypeOf<TakesUndefined<core.StepOptions>>().toEqualTypeOf<true>()
    expectTypeOf<TakesUndefined<core.NotifierOptions>>().toEqualTypeOf<true>()
    expectTypeOf<TakesUndefined<core.NotifyCallOptions>>().toEqualTypeOf<true>()
    expectTypeOf<TakesUndefined<core.NotificationListenerOptions>>().toEqualTypeOf<true>()
    expectTypeOf<TakesUndefined<core.BatchNotificationListenerOptions>>().toEqualTypeOf<true>()
    expectTypeOf<TakesUndefined<core.NotificationFilterRules>>().toEqualTypeOf<true>()
    expectTypeOf<TakesUndefined<core.BrokerAdminOptions>>().toEqualTypeOf<true>()
    expectTypeOf<TakesUndefined<core.RedriveOptions>>().toEqualTypeOf<true>()
    expectTypeOf<TakesUndefined<core.QueuesOptions>>().toEqualTypeOf<true>()
  })

  it('the check sees one that may not, where the compiler tells the two apart', () => {
    type IsExact = { a: undefined } extends { a?: string } ? false : true
    expectTypeOf<TakesUndefined<{ readonly a?: string }>>().toEqualTypeOf<IsExact extends true ? false : true>()
  })
})
