import { describe, expectTypeOf, it } from 'vitest'
import {
  type EndpointMethods,
  expectedExceptions,
  getRpcClient,
  type MessagingError,
  type RPCCall,
  type RPCClient,
  type RPCTransport,
  Target,
  ValueError,
} from '../../../src/index.ts'

interface Compute {
  build(args: { name: string; flavor?: number }): { id: number }
  list(args?: { limit: number }): Promise<string[]>
  ping(): string
  reboot(args: { id: number }): void
  readonly version: string
}

declare const transport: RPCTransport
const context = { user_id: 'alice' }
const client = getRpcClient<Compute>(transport, new Target({ topic: 'compute' }))

describe('typed clients', () => {
  it('a call resolves to what the method returns, promises unwrapped', () => {
    expectTypeOf(client.call(context, 'build', { name: 'a' })).resolves.toEqualTypeOf<{ id: number }>()
    expectTypeOf(client.call(context, 'list')).resolves.toEqualTypeOf<string[]>()
    expectTypeOf(client.call(context, 'list', { limit: 3 }, { timeoutMs: 5 })).resolves.toEqualTypeOf<string[]>()
    expectTypeOf(client.call(null, 'ping')).resolves.toEqualTypeOf<string>()
    expectTypeOf(client.cast(context, 'reboot', { id: 1 })).resolves.toEqualTypeOf<void>()
  })

  it('an interface without a method of that name has none', () => {
    // @ts-expect-error there is no such method
    void client.call(context, 'rebuild', {})
    // @ts-expect-error version is a field
    void client.call(context, 'version')
  })

  it('arguments are checked by name and type', () => {
    // @ts-expect-error name is missing
    void client.call(context, 'build', {})
    // @ts-expect-error the arguments are missing
    void client.call(context, 'build')
    // @ts-expect-error flavor is a number
    void client.call(context, 'build', { name: 'a', flavor: 'big' })
    // @ts-expect-error ping takes none
    void client.call(context, 'ping', { loud: true })
    // @ts-expect-error arguments go by name
    void client.call(context, 'build', ['a'])
    // @ts-expect-error not an option
    void client.call(context, 'ping', {}, { timeout: 5 })
  })

  it('a prepared client keeps the methods', () => {
    const prepared = client.prepare({ server: 'node1', timeoutMs: null })
    expectTypeOf(prepared.call(context, 'ping')).resolves.toEqualTypeOf<string>()
    // @ts-expect-error there is no such method
    void prepared.call(context, 'pong')
  })

  it('without methods any name goes and the result is unknown', () => {
    const untyped = getRpcClient(transport, new Target({ topic: 'compute' }))
    expectTypeOf(untyped).toEqualTypeOf<RPCClient>()
    expectTypeOf(untyped.call({}, 'whatever', { a: 1 })).resolves.toEqualTypeOf<unknown>()
    expectTypeOf(untyped.cast({}, 'whatever')).resolves.toEqualTypeOf<void>()
  })

  it('the methods of an endpoint class are those of its clients', () => {
    class Endpoint {
      readonly target = new Target()
      add(_context: object, { a, b }: { a: number; b: number }): number {
        return a + b
      }
      async wait(_context: object, _args: { ms: number }, _call: RPCCall): Promise<void> {}
      ping(): string {
        return 'pong'
      }
    }
    const typed = getRpcClient<EndpointMethods<Endpoint>>(transport, new Target({ topic: 't' }))
    expectTypeOf(typed.call({}, 'add', { a: 1, b: 2 })).resolves.toEqualTypeOf<number>()
    expectTypeOf(typed.call({}, 'wait', { ms: 1 })).resolves.toEqualTypeOf<null>()
    expectTypeOf(typed.call({}, 'ping')).resolves.toEqualTypeOf<string>()
    // @ts-expect-error target is no method
    void typed.call({}, 'target')
  })

  it('expectedExceptions keeps the type of the method', () => {
    const method = (_context: object, { n }: { n: number }): string => String(n)
    expectTypeOf(expectedExceptions([ValueError], method)).toEqualTypeOf(method)
    expectTypeOf(expectedExceptions([ValueError])(method)).toEqualTypeOf(method)
  })

  it('errors say what is known', () => {
    expectTypeOf<MessagingError['delivery']>().toEqualTypeOf<'not-sent' | 'unknown' | 'confirmed' | undefined>()
  })
})
