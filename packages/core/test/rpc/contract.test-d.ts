import { describe, expectTypeOf, it } from 'vitest'
import {
  type EndpointContext,
  type EndpointMethods,
  expose,
  getNotificationListener,
  getNotificationTransport,
  getRpcClient,
  getRpcServer,
  getRpcTransport,
  type MessageContext,
  type OnTheWire,
  type Revived,
  RPCClient,
  type RPCCall,
  RPCServer,
  RPCTransport,
  Target,
} from '../../src/index.ts'

interface Compute {
  build(args: { name: string; at: Date; flavor?: number }): { id: number; created: Date; tags: Map<string, number> }
  list(args?: { limit: number }): Promise<readonly string[]>
  find(args: { id: number }): { id: number } | undefined
  ping(): string
  reboot(args: { id: number }): void
  _sweep(): void
  readonly version: string
}
interface Ctx {
  readonly request_id: string
}

declare const transport: RPCTransport
const target = { topic: 'compute', server: 'node1' }

describe('one interface for server and client', () => {
  it('parameters of a literal endpoint are known, and the arguments are what arrives', () => {
    const server = getRpcServer<Compute, Ctx>(transport, target, {
      target: { version: '1.1' },
      build: (context, { name, at, flavor }, call) => {
        expectTypeOf(context).toEqualTypeOf<Ctx>()
        expectTypeOf(name).toEqualTypeOf<string>()
        expectTypeOf(at).toEqualTypeOf<string>()
        expectTypeOf(flavor).toEqualTypeOf<number | undefined>()
        expectTypeOf(call).toEqualTypeOf<RPCCall>()
        return { id: 1, created: new Date(), tags: new Map() }
      },
      list: async (_context, { limit }) => {
        expectTypeOf(limit).toEqualTypeOf<number | undefined>()
        return []
      },
      find: (_context, { id }) => (id > 1 ? { id } : null),
      ping: () => 'pong',
      reboot: async () => {},
    })
    expectTypeOf(server.methods[0]?.name).toEqualTypeOf<'build' | 'list' | 'find' | 'ping' | 'reboot' | undefined>()
  })

  it('without a context of its own an endpoint gets any', () => {
    getRpcServer<{ ping(): string }>(transport, target, [
      {
        ping: (context) => {
          expectTypeOf(context).toEqualTypeOf<MessageContext>()
          return 'pong'
        },
      },
    ])
  })

  it('an endpoint must have each method, with fitting arguments and results', () => {
    interface Adder {
      add(args: { a: number; b: number }): number
    }
    class Good {
      readonly target = new Target({ version: '2.0' })
      add(_context: object, { a, b }: { a: number; b: number }): number {
        return a + b
      }
    }
    class Narrow {
      add(_context: object, { a }: { a: string; b: number }): number {
        return a.length
      }
    }
    getRpcServer<Adder>(transport, target, new Good())
    getRpcServer<Adder>(transport, target, [new Good()])
    // @ts-expect-error add is missing
    getRpcServer<Adder>(transport, target, { ad: () => 1 })
    // @ts-expect-error add is missing
    getRpcServer<Adder>(transport, target, [{ ad: () => 1 }])
    // @ts-expect-error sub is not in the interface
    getRpcServer<Adder>(transport, target, { add: () => 1, sub: () => 1 })
    // @ts-expect-error a is a number
    getRpcServer<Adder>(transport, target, new Narrow())
    // @ts-expect-error the result is a number
    getRpcServer<Adder>(transport, target, { add: () => 'three' })
    // @ts-expect-error the context has no user
    getRpcServer<Adder, Ctx>(transport, target, { add: (context: { user: string }) => context.user.length })
  })

  it('several endpoints may have the interface together', () => {
    getRpcServer<{ a(): number; b(): number }>(transport, target, [{ a: () => 1 }, { b: () => 2 }])
    // @ts-expect-error c is in no interface
    getRpcServer<{ a(): number; b(): number }>(transport, target, [{ a: () => 1 }, { c: () => 2 }])
  })

  it('the list of what is exposed is the interface, name by name', () => {
    class Service {
      build(): string {
        return this.wipe()
      }
      private wipe(): string {
        return 'wiped'
      }
    }
    interface Builder {
      build(): string
    }
    getRpcServer<Builder>(transport, target, new Service(), { exposes: { build: true } })
    // @ts-expect-error build is missing
    getRpcServer<Builder>(transport, target, new Service(), { exposes: {} })
    // @ts-expect-error wipe is not in the interface
    getRpcServer<Builder>(transport, target, new Service(), { exposes: { build: true, wipe: true } })
  })

  it('the client gets what arrives', () => {
    const client = getRpcClient<Compute, Ctx>(transport, { topic: 'compute' })
    const context = { request_id: 'req-1' }
    expectTypeOf(client.call(context, 'build', { name: 'a', at: new Date() })).resolves.toEqualTypeOf<{
      id: number
      created: string
      tags: Record<string, number>
    }>()
    expectTypeOf(client.call(context, 'list')).resolves.toEqualTypeOf<readonly string[]>()
    expectTypeOf(client.call(context, 'find', { id: 1 })).resolves.toEqualTypeOf<{ id: number } | null>()
    expectTypeOf(client.call(context, 'reboot', { id: 1 })).resolves.toEqualTypeOf<null>()
    // @ts-expect-error servers hide what begins with _
    void client.call(context, '_sweep')
    // @ts-expect-error the context lacks request_id
    void client.call({}, 'ping')
    // @ts-expect-error and null stands for an empty one
    void client.call(null, 'ping')
    // @ts-expect-error a prepared client needs it too
    void client.prepare({ server: 'node1' }).cast(null, 'ping')
  })

  it('the class of an endpoint says what its clients may call, and with which context', () => {
    class Endpoint {
      add(_context: Ctx, { a }: { a: number }): number {
        return a
      }
      owner(_context: { readonly user: string }): string {
        return 'me'
      }
      ping(): string {
        return 'pong'
      }
      close(): void {}
      onModuleDestroy(): void {}
      toJSON(): string {
        return ''
      }
      _private(): void {}
    }
    expectTypeOf<keyof EndpointMethods<Endpoint>>().toEqualTypeOf<'add' | 'owner' | 'ping'>()
    expectTypeOf<EndpointContext<Endpoint>>().toEqualTypeOf<Ctx & { readonly user: string }>()
    const client = getRpcClient<EndpointMethods<Endpoint>, EndpointContext<Endpoint>>(transport, { topic: 't' })
    expectTypeOf(client.call({ request_id: 'r', user: 'u' }, 'add', { a: 1 })).resolves.toEqualTypeOf<number>()
    // @ts-expect-error user is missing
    void client.call({ request_id: 'r' }, 'ping')
  })

  it('classes of one’s own come back as themselves', () => {
    class MyClient extends RPCClient<Compute> {
      readonly mine = 1
    }
    class MyServer extends RPCServer {
      readonly mine = 1
    }
    class MyTransport extends RPCTransport {
      readonly mine = 1
    }
    expectTypeOf(getRpcClient(transport, target, { clientClass: MyClient })).toEqualTypeOf<MyClient>()
    expectTypeOf(
      getRpcServer(transport, target, { ping: () => 1 }, { serverClass: MyServer }),
    ).toEqualTypeOf<MyServer>()
    expectTypeOf(
      getRpcTransport({ url: 'memory://', transportClass: MyTransport }),
    ).resolves.toEqualTypeOf<MyTransport>()
  })

  it('fields do for a target, and a URL for a configuration', () => {
    getNotificationListener(transport, [{ topic: 'notifications' }], [{ info() {} }])
    expectTypeOf(getRpcTransport({ url: 'memory://' })).resolves.toEqualTypeOf<RPCTransport>()
    expectTypeOf(getNotificationTransport({ url: 'memory://' })).resolves.toHaveProperty('flush')
    // @ts-expect-error topik is no field
    getRpcClient(transport, { topik: 't' })
    // @ts-expect-error nothing to connect with has such an option
    void getRpcTransport({ uri: 'memory://' })
  })
})

describe('OnTheWire', () => {
  it('is what arrives', () => {
    expectTypeOf<OnTheWire<Date>>().toEqualTypeOf<string>()
    expectTypeOf<OnTheWire<undefined>>().toEqualTypeOf<null>()
    expectTypeOf<OnTheWire<void>>().toEqualTypeOf<null>()
    expectTypeOf<OnTheWire<bigint>>().toEqualTypeOf<number | bigint>()
    expectTypeOf<OnTheWire<number>>().toEqualTypeOf<number>()
    expectTypeOf<OnTheWire<'a' | 'b'>>().toEqualTypeOf<'a' | 'b'>()
    expectTypeOf<OnTheWire<unknown>>().toEqualTypeOf<unknown>()
    expectTypeOf<OnTheWire<Set<Date>>>().toEqualTypeOf<string[]>()
    expectTypeOf<OnTheWire<Float64Array>>().toEqualTypeOf<number[]>()
    expectTypeOf<OnTheWire<Uint8Array>>().toEqualTypeOf<string>()
    expectTypeOf<OnTheWire<Buffer>>().toEqualTypeOf<string>()
    expectTypeOf<OnTheWire<Error>>().toEqualTypeOf<string>()
    expectTypeOf<OnTheWire<URL>>().toEqualTypeOf<string>()
    expectTypeOf<OnTheWire<Map<string, Date>>>().toEqualTypeOf<Record<string, string>>()
    expectTypeOf<OnTheWire<readonly [Date, number]>>().toEqualTypeOf<readonly [string, number]>()
    expectTypeOf<OnTheWire<(Date | undefined)[]>>().toEqualTypeOf<(string | null)[]>()
    expectTypeOf<OnTheWire<() => void>>().toEqualTypeOf<never>()
    expectTypeOf<OnTheWire<Record<string, unknown>>>().toEqualTypeOf<Record<string, unknown>>()
    expectTypeOf<
      OnTheWire<{ a: Date; b: number | undefined; c?: Date; readonly d: null; go(): void }>
    >().toEqualTypeOf<{
      a: string
      b?: number
      c?: string
      readonly d: null
    }>()
  })

  it('leaves what a serializer makes again', () => {
    expectTypeOf<OnTheWire<{ at: Revived<Date> }>['at']>().toExtend<Date>()
    const at: Revived<Date> = new Date()
    expectTypeOf(at).toExtend<Date>()
  })

  it('takes types that contain themselves', () => {
    type Json = string | number | boolean | null | readonly Json[] | { readonly [name: string]: Json }
    const json: Json = { a: [1] }
    const arrived: OnTheWire<Json> = json
    expectTypeOf(arrived).toExtend<Json>()
  })
})

describe('expose', () => {
  it('is a function, and a decorator of either kind, of methods and of classes', () => {
    @expose
    class Base {
      @expose
      ping(): string {
        return 'pong'
      }
    }
    expectTypeOf(new Base().ping()).toEqualTypeOf<string>()
    const method = (_context: object, { n }: { n: number }): number => n
    expectTypeOf(expose(method)).toEqualTypeOf(method)
    // @ts-expect-error a text has no methods
    expose('ping')
  })
})
