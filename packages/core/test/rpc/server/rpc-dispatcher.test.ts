import { busOf } from '../../../src/driver.ts'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import {
  declareArguments,
  getRpcClient,
  getRpcServer,
  getRpcTransport,
  loadConfig,
  NoSuchMethod,
  RPCAccessPolicyBase,
  RPCClient,
  RPCServer,
  RPCTransport,
  Target,
  UnsupportedVersion,
} from '../../../src/index.ts'
import { createScene, rejection, type Scene, thrownBy } from '../scene.ts'

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

  it.each([[{ target: ['nova'] }], [{ target: 'nova' }], [{ target: () => 1 }]])(
    'D2 endpoint target - TypeError when the server is made: %o',
    (endpoint) => {
      const error = thrownBy(() => scene.server(endpoint))
      expect(error).toBeInstanceOf(TypeError)
      expect(error).toMatchObject({ message: expect.stringContaining('needs a target such as') })
    },
  )

  it.each([[7], [null], ['endpoint'], [undefined]])('D2 endpoint - %s is none', (endpoint) => {
    const endpoints = [endpoint] as readonly unknown[]
    expect(() => getRpcServer(scene.transport, new Target({ topic: 't', server: 's' }), endpoints as object[])).toThrow(
      /endpoint must be an object/,
    )
  })

  it('D2 endpoints - one or a list that is not empty', () => {
    const make = (endpoints: unknown) =>
      getRpcServer(scene.transport, { topic: 't', server: 's' }, endpoints as object[])
    expect(make({ go: () => 1 }).methods).toMatchObject([{ name: 'go' }])
    expect(() => make([])).toThrow(/An RPC server needs endpoints .*list is empty/)
    expect(() => make('go')).toThrow(/endpoint must be an object .*not text/)
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
      const { Deadline } = await import('../../../src/util/deadline.ts')
      const reply = await busOf(transport).send(
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
      text(_context: object, { text }: { text: string }): string {
        return text
      }
      static {
        // oxlint-disable-next-line typescript/unbound-method -- it is only described
        declareArguments(['text', 'count?'], Endpoint.prototype.text)
      }
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
    expect(getRpcServer(transport, target, [{ m() {} }], { serverClass: MyServer })).toBeInstanceOf(MyServer)
  })

  it('D17 base classes - a dispatcher and a server of one own are exported', async () => {
    const { MessageServer, RPCDispatcher } = await import('../../../src/index.ts')
    expect(RPCServer.prototype).toBeInstanceOf(MessageServer)
    expect(typeof RPCDispatcher).toBe('function')
  })
})
