import { EventEmitter } from 'node:events'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import {
  declareArguments,
  DefaultRPCAccessPolicy,
  ExpectedException,
  expectedExceptions,
  ExplicitRPCAccessPolicy,
  expose,
  getRpcClient,
  getRpcServer,
  getRpcTransport,
  LegacyRPCAccessPolicy,
  loadConfig,
  NoSuchMethod,
  RPCAccessPolicyBase,
  type RPCAccessPolicyClass,
  RPCClient,
  RPCServer,
  RPCTransport,
  Target,
  UnsupportedVersion,
  ValueError,
} from '../../src/index.ts'
import { findMethod } from '../../src/rpc/endpoint.ts'
import { createScene, rejection, type Scene, thrownBy } from './scene.ts'

let scene: Scene
beforeEach(async () => {
  scene = await createScene()
})
afterEach(async () => {
  await scene[Symbol.asyncDispose]()
})

describe('dispatcher', () => {
  it('D1 choice of endpoint - the first that fits and has the method; one that lacks it is passed over', async () => {
    await scene.serve([{ a: () => 'first a' }, { a: () => 'second a', b: () => 'second b' }])
    const client = scene.client()
    expect(await client.call({}, 'a')).toBe('first a')
    expect(await client.call({}, 'b')).toBe('second b')
  })

  it('D1 choice of endpoint - a method that the policy hides in one is found in the next', async () => {
    class OnlySecond extends RPCAccessPolicyBase {
      isAllowed(endpoint: object): boolean {
        return 'second' in endpoint
      }
    }
    await scene.serve([{ go: () => 1 }, { second: true, go: () => 2 }], { accessPolicy: OnlySecond })
    expect(await scene.client().call({}, 'go')).toBe(2)
  })

  it('D2 endpoint target - absent: null namespace and version 1.0', async () => {
    await scene.serve({ go: () => 1 })
    expect(await scene.client({}, { version: '1.0' }).call({}, 'go')).toBe(1)
    expect(await rejection(scene.client({}, { version: '1.1' }).call({}, 'go'))).toBeInstanceOf(UnsupportedVersion)
    expect(await rejection(scene.client({}, { namespace: 'n' }).call({}, 'go'))).toBeInstanceOf(UnsupportedVersion)
  })

  it.each([[{ target: { version: '1.0' } }], [{ target: 'nova' }], [{ target: () => 1 }]])(
    'D2 endpoint target - TypeError when the server is made: %o',
    (endpoint) => {
      const error = thrownBy(() => scene.server(endpoint))
      expect(error).toBeInstanceOf(TypeError)
      expect(error).toMatchObject({ message: expect.stringContaining('must be a Target') })
    },
  )

  it.each([[7], [null], ['endpoint'], [undefined]])('D2 endpoint - %s is none', (endpoint) => {
    const endpoints = [endpoint] as readonly unknown[]
    expect(() => getRpcServer(scene.transport, new Target({ topic: 't', server: 's' }), endpoints as object[])).toThrow(
      /endpoint must be an object/,
    )
  })

  it('D2 endpoints - go in a list', () => {
    const endpoints: unknown = { go: () => 1 }
    expect(() => getRpcServer(scene.transport, new Target({ topic: 't', server: 's' }), endpoints as object[])).toThrow(
      /list of endpoints/,
    )
  })

  it('D3 namespace - the own and the legacy ones are taken; null is one', async () => {
    await scene.serve([
      { target: new Target({ namespace: 'new', legacyNamespaces: ['old'] }), go: () => 'named' },
      { go: () => 'unnamed' },
    ])
    const ask = (namespace: string | null): Promise<unknown> => scene.client({}, { namespace }).call({}, 'go')
    expect([await ask('new'), await ask('old'), await ask(null)]).toEqual(['named', 'named', 'unnamed'])
    expect(await rejection(ask('other'))).toBeInstanceOf(UnsupportedVersion)
  })

  it('D4 version - minor up to the endpoint, same major', async () => {
    await scene.serve({ target: new Target({ namespace: 'Name1', version: '7.5' }), go: () => 'ok' })
    const ask = (version: string): Promise<unknown> => scene.client({}, { namespace: 'Name1', version }).call({}, 'go')
    expect(await ask('7.5')).toBe('ok')
    expect(await ask('7.0')).toBe('ok')
    for (const version of ['7.6', '8.0', '6.5'])
      expect(await rejection(ask(version))).toBeInstanceOf(UnsupportedVersion)
  })

  it.each(['1', 'x.y', '', '1.x', '..'])(
    'D4 version - one that cannot be read (%j) is unsupported',
    async (version) => {
      await scene.serve({ target: new Target({ version: '1.5' }), go: () => 1 })
      const { transport, topic } = scene
      const { Deadline } = await import('../../src/util/deadline.ts')
      const reply = await transport.send(
        new Target({ topic }),
        { context: {}, message: { method: 'go', args: {}, version } },
        {
          waitForReply: true,
          deadline: Deadline.after(2000),
          expiresInMs: null,
          callMonitorTimeoutMs: null,
          retries: 0,
          atLeastOnce: false,
        },
      )
      expect(JSON.parse(reply?.failure ?? '')).toMatchObject({
        class: 'UnsupportedVersion',
        module: 'oslo_messaging.rpc.dispatcher',
      })
    },
  )

  it('D5 errors - no endpoint for namespace and version: UnsupportedVersion; no method in it: NoSuchMethod', async () => {
    await scene.serve({ go: () => 1 })
    expect(await rejection(scene.client({}, { version: '2.0' }).call({}, 'go'))).toMatchObject({
      name: 'UnsupportedVersion',
      message: 'Endpoint does not support RPC version 2.0. Attempted method: go',
    })
    const missing = await rejection(scene.client().call({}, 'missing'))
    expect(missing).toBeInstanceOf(NoSuchMethod)
    expect(missing).toMatchObject({ message: 'Endpoint does not support RPC method missing', method: 'missing' })
  })

  it.each([
    [{ wrong: 1 }, "Endpoint.text() got an unexpected keyword argument 'wrong'"],
    [{ text: 'x', count: 1, more: 2 }, "Endpoint.text() got an unexpected keyword argument 'more'"],
    [{}, "Endpoint.text() missing 1 required positional argument: 'text'"],
  ])('D6 arguments - %j do not fit what was declared: TypeError with the words of Python', async (args, message) => {
    class Endpoint {
      text = declareArguments(['text', 'count?'], function text(_context: object, { text }: { text: string }) {
        return text
      })
    }
    await scene.serve(new Endpoint())
    const error = await rejection(scene.client().call({}, 'text', args))
    expect(error).toBeInstanceOf(TypeError)
    expect(error).toMatchObject({ message })
    expect(await scene.client().call({}, 'text', { text: 'x', count: 2 })).toBe('x')
  })

  it('D6 arguments - several missing ones are listed as Python lists them', async () => {
    const go = declareArguments(['a', 'b', 'c'], () => 1)
    await scene.serve({ go })
    const message = async (args: object): Promise<string> =>
      ((await rejection(scene.client().call({}, 'go', args))) as Error).message.replace(/^.*?\) /, '')
    expect(await message({})).toBe("missing 3 required positional arguments: 'a', 'b', and 'c'")
    expect(await message({ b: 1 })).toBe("missing 2 required positional arguments: 'a' and 'c'")
  })

  it('D6 arguments - a TypeError inside the method is one for the client', async () => {
    await scene.serve({ go: (_context: object, { list }: { list: string[] }) => list.length })
    expect(await rejection(scene.client().call({}, 'go', { list: null }))).toBeInstanceOf(TypeError)
  })

  it('D7 DefaultRPCAccessPolicy - names that begin with _ are refused', async () => {
    await scene.serve({ _private: () => 1, open: () => 2 })
    expect(await rejection(scene.client().call({}, '_private'))).toBeInstanceOf(NoSuchMethod)
    expect(await scene.client().call({}, 'open')).toBe(2)
    expect(new DefaultRPCAccessPolicy().isAllowed({}, '__x')).toBe(false)
  })

  it('D8 LegacyRPCAccessPolicy - everything is allowed', async () => {
    await scene.serve({ _private: () => 1 }, { accessPolicy: LegacyRPCAccessPolicy })
    expect(await scene.client().call({}, '_private')).toBe(1)
  })

  it('D9 D11 ExplicitRPCAccessPolicy - only what expose marks', async () => {
    class Endpoint {
      field = expose(() => 'field')
      hidden(): string {
        return 'hidden'
      }
      open(): string {
        return 'open'
      }
    }
    // oxlint-disable-next-line typescript/unbound-method -- expose only marks it
    expose(Endpoint.prototype.open)
    await scene.serve(new Endpoint(), { accessPolicy: ExplicitRPCAccessPolicy })
    expect(await scene.client().call({}, 'field')).toBe('field')
    expect(await scene.client().call({}, 'open')).toBe('open')
    expect(await rejection(scene.client().call({}, 'hidden'))).toBeInstanceOf(NoSuchMethod)
  })

  it('D11 expose - marks pass through the other wrappers, in any order', async () => {
    const make = () => {
      throw new ValueError('v')
    }
    await scene.serve(
      {
        a: expose(expectedExceptions([ValueError], make)),
        b: expectedExceptions(
          [ValueError],
          expose(() => make()),
        ),
      },
      { accessPolicy: ExplicitRPCAccessPolicy },
    )
    for (const method of ['a', 'b']) expect(await rejection(scene.client().call({}, method))).toBeInstanceOf(ValueError)
  })

  it('D10 own policy - a class; anything else is a TypeError', async () => {
    class Only extends RPCAccessPolicyBase {
      isAllowed(_endpoint: object, method: string): boolean {
        return method === 'yes'
      }
    }
    await scene.serve({ yes: () => 1, no: () => 2 }, { accessPolicy: Only })
    expect(await scene.client().call({}, 'yes')).toBe(1)
    expect(await rejection(scene.client().call({}, 'no'))).toBeInstanceOf(NoSuchMethod)
    for (const wrong of [
      new Only(),
      class Other {
        isAllowed(): boolean {
          return true
        }
      },
      () => true,
      'default',
    ] as unknown[])
      expect(() => scene.server({}, { accessPolicy: wrong as RPCAccessPolicyClass })).toThrow(TypeError)
  })

  it('D12 expected_exceptions - the classes and their subclasses reach the client without an error log', async () => {
    class Child extends ValueError {}
    await scene.serve({
      plain: expectedExceptions([ValueError], () => {
        throw new ValueError('v')
      }),
      child: expectedExceptions([ValueError], async () => {
        throw new Child('c')
      }),
      other: expectedExceptions([ValueError], () => {
        throw new RangeError('r')
      }),
      fine: expectedExceptions([ValueError], async (_context: object, { n }: { n: number }) => n + 1),
    })
    const client = scene.client()
    expect(await rejection(client.call({}, 'plain'))).toMatchObject({ message: 'v' })
    expect(await rejection(client.call({}, 'child'))).toMatchObject({ message: 'c' })
    expect(scene.log.lines.filter(({ level }) => level === 'error')).toEqual([])
    expect(await client.call({}, 'fine', { n: 1 })).toBe(2)
    await rejection(client.call({}, 'other'))
    expect(scene.log.lines.filter(({ level }) => level === 'error')).toHaveLength(1)
  })

  it('D12 expected_exceptions - is a decorator too, and refuses what is no class', async () => {
    const decorated = expectedExceptions([ValueError])((): number => {
      throw new ValueError('d')
    })
    await scene.serve({ go: decorated })
    await rejection(scene.client().call({}, 'go'))
    expect(scene.log.lines).toMatchObject([{ level: 'debug' }])
    const wrong = ['ValueError'] as unknown
    expect(() => expectedExceptions(wrong as (typeof ValueError)[])).toThrow(TypeError)
  })

  it('D13 ExpectedException - carries the error it stands for', async () => {
    const error = new ValueError('inside')
    expect(new ExpectedException(error).cause).toBe(error)
    await scene.serve({
      go: () => {
        throw new ExpectedException(error)
      },
    })
    expect(await rejection(scene.client().call({}, 'go'))).toMatchObject({ name: 'ValueError', message: 'inside' })
    expect(scene.log.lines).toMatchObject([{ level: 'debug' }])
  })

  it('D14 ping endpoint - answers when it is enabled, whatever the policy, and not otherwise', async () => {
    await scene.serve({})
    expect(await rejection(scene.client().call({}, 'oslo_rpc_server_ping'))).toBeInstanceOf(NoSuchMethod)
    for (const accessPolicy of [DefaultRPCAccessPolicy, ExplicitRPCAccessPolicy]) {
      await using pinging = await createScene({ defaults: { rpc_ping_enabled: true } })
      await pinging.serve({}, { accessPolicy })
      expect(await pinging.client().call({}, 'oslo_rpc_server_ping')).toBe('pong')
    }
  })

  it('D14 ping endpoint - an endpoint that has the method keeps it, with a warning', async () => {
    await using pinging = await createScene({ defaults: { rpc_ping_enabled: true } })
    await pinging.serve({ oslo_rpc_server_ping: () => 'mine' })
    expect(await pinging.client().call({}, 'oslo_rpc_server_ping')).toBe('mine')
    expect(pinging.log.lines).toMatchObject([
      { level: 'warn', message: expect.stringContaining('oslo_rpc_server_ping') },
    ])
  })

  it('D16 own classes - transport, client and server are made of the class given', async () => {
    class MyTransport extends RPCTransport {}
    class MyClient<M extends object> extends RPCClient<M> {}
    class MyServer extends RPCServer {}
    await using transport = await getRpcTransport(await loadConfig(), {
      url: 'memory://d16',
      transportClass: MyTransport,
    })
    expect(transport).toBeInstanceOf(MyTransport)
    const target = new Target({ topic: 't', server: 's' })
    expect(getRpcClient(transport, target, { clientClass: MyClient })).toBeInstanceOf(MyClient)
    expect(getRpcServer(transport, target, [], { serverClass: MyServer })).toBeInstanceOf(MyServer)
  })

  it('D17 base classes - a dispatcher and a server of one own are exported', async () => {
    const { MessageServer, RPCDispatcher } = await import('../../src/index.ts')
    expect(RPCServer.prototype).toBeInstanceOf(MessageServer)
    expect(typeof RPCDispatcher).toBe('function')
  })
})

describe('D11 endpoint methods - only the endpoint’s own declared functions', () => {
  let ran: string[] = []
  beforeEach(() => {
    ran = []
  })

  class Base {
    inherited(): string {
      return 'inherited'
    }
  }
  class Endpoint extends Base {
    readonly target = new Target()
    readonly value = 7
    readonly arrow = (): string => 'arrow'
    get getter(): () => string {
      ran.push('getter')
      return () => 'never'
    }
    method(): string {
      return 'method'
    }
    static factory(): string {
      return 'static'
    }
  }

  it.each(['arrow', 'method', 'inherited'])('%s is served', async (method) => {
    await scene.serve(new Endpoint())
    expect(await scene.client().call({}, method)).toBe(method)
  })

  it.each([
    'constructor',
    '__proto__',
    '__defineGetter__',
    '__lookupSetter__',
    'hasOwnProperty',
    'isPrototypeOf',
    'toString',
    'valueOf',
    'toLocaleString',
    'propertyIsEnumerable',
    'target',
    'value',
    'getter',
    'factory',
    'prototype',
    'missing',
  ])('%s is not, and nothing runs', async (method) => {
    await scene.serve(new Endpoint(), { accessPolicy: LegacyRPCAccessPolicy })
    expect(await rejection(scene.client().call({}, method))).toBeInstanceOf(NoSuchMethod)
    expect(ran).toEqual([])
  })

  it('an endpoint without a prototype works', async () => {
    const endpoint = Object.assign(Object.create(null) as object, { go: () => 1 })
    await scene.serve(endpoint)
    expect(await scene.client().call({}, 'go')).toBe(1)
    expect(await rejection(scene.client().call({}, 'toString'))).toBeInstanceOf(NoSuchMethod)
  })

  it('what an endpoint inherits from the platform is nobody’s interface', () => {
    class Emitting extends EventEmitter {
      go(): number {
        return 1
      }
    }
    class Listing extends Map {
      go(): number {
        return 1
      }
    }
    for (const endpoint of [new Emitting(), new Listing()]) {
      expect(findMethod(endpoint, 'go')).toBeTypeOf('function')
      for (const name of ['emit', 'on', 'removeAllListeners', 'clear', 'get'])
        expect(findMethod(endpoint, name)).toBeUndefined()
    }
  })
})
