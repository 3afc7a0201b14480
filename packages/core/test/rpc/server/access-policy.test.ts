import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import {
  DefaultRPCAccessPolicy,
  ExpectedException,
  expectedExceptions,
  ExplicitRPCAccessPolicy,
  expose,
  LegacyRPCAccessPolicy,
  NoSuchMethod,
  RPCAccessPolicyBase,
  type RPCAccessPolicyClass,
  ValueError,
} from '../../../src/index.ts'
import { createScene, rejection, type Scene } from '../scene.ts'

let scene: Scene
beforeEach(async () => {
  scene = await createScene()
})
afterEach(async () => {
  await scene[Symbol.asyncDispose]()
})

describe('access policies', () => {
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
      expect(() => scene.server({ m() {} }, { accessPolicy: wrong as RPCAccessPolicyClass })).toThrow(TypeError)
  })
})

describe('expected exceptions and ping', () => {
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
    await scene.serve({ m() {} })
    expect(await rejection(scene.client().call({}, 'oslo_rpc_server_ping'))).toBeInstanceOf(NoSuchMethod)
    for (const accessPolicy of [DefaultRPCAccessPolicy, ExplicitRPCAccessPolicy]) {
      await using pinging = await createScene({ defaults: { rpc_ping_enabled: true } })
      await pinging.serve({ m() {} }, { accessPolicy })
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
})
