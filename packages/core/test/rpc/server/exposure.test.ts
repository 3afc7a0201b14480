/* oxlint-disable typescript/unbound-method, unicorn/no-thenable, typescript/no-extraneous-class -- odd endpoints */
import { EventEmitter } from 'node:events'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import {
  declareArguments,
  expectedExceptions,
  ExplicitRPCAccessPolicy,
  expose,
  LegacyRPCAccessPolicy,
  NoSuchMethod,
  Target,
  ValueError,
} from '../../../src/index.ts'
import { createScene, rejection, type Scene, thrownBy } from '../scene.ts'

let scene: Scene
beforeEach(async () => {
  scene = await createScene()
})
afterEach(async () => {
  await scene[Symbol.asyncDispose]()
})

const names = (endpoint: object): string[] => scene.server(endpoint).methods.map(({ name }) => name)

/** What a service looks like: dependencies in fields, helpers in a base class, hooks of its framework. */
class Base {
  auditTrail(): string {
    return 'helper'
  }
  shared(): string {
    return 'shared'
  }
  static {
    expose(Base.prototype.shared)
  }
}
class Compute extends Base {
  readonly target = new Target({ version: '1.2' })
  readonly dropDatabase: () => string
  readonly arrow = (): string => 'arrow'
  readonly marked = expose((): string => 'marked')
  constructor(dropDatabase: () => string) {
    super()
    this.dropDatabase = dropDatabase
  }
  build(): string {
    return `built ${this.#name()}`
  }
  _private(): string {
    return 'private'
  }
  #name(): string {
    return 'it'
  }
  get lazy(): () => string {
    throw new Error('a getter was run')
  }
  onModuleInit(): void {}
  onModuleDestroy(): void {}
  onApplicationBootstrap(): void {}
  onApplicationShutdown(): void {}
  beforeApplicationShutdown(): void {}
  ngOnDestroy(): void {}
  toJSON(): string {
    return 'secret state'
  }
  override toString(): string {
    return 'Compute'
  }
  then(): void {}
  catch(): void {}
  finally(): void {}
  close(): void {}
  dispose(): void {}
  destroy(): void {}
  async [Symbol.asyncDispose](): Promise<void> {}
}
const compute = (): Compute => new Compute(() => 'gone')

describe('what an instance of a class offers', () => {
  it('its own methods and the base methods that say so; no field, no hook, nothing JavaScript calls', async () => {
    const server = await scene.serve(compute())
    expect(server.methods).toEqual([
      { name: 'build', namespace: null, version: '1.2', endpoint: 'Compute' },
      { name: 'shared', namespace: null, version: '1.2', endpoint: 'Compute' },
    ])
    const client = scene.client()
    expect(await client.call({}, 'build')).toBe('built it')
    expect(await client.call({}, 'shared')).toBe('shared')
  })

  it.each([
    'auditTrail',
    'dropDatabase',
    'arrow',
    'marked',
    'lazy',
    '#name',
    'target',
    'onModuleInit',
    'onModuleDestroy',
    'onApplicationBootstrap',
    'onApplicationShutdown',
    'beforeApplicationShutdown',
    'ngOnDestroy',
    'toJSON',
    'toString',
    'then',
    'catch',
    'finally',
    'close',
    'dispose',
    'destroy',
    'constructor',
    '__proto__',
    'hasOwnProperty',
    'Symbol(Symbol.asyncDispose)',
  ])('%s cannot be called, not even with the policy that allows everything', async (method) => {
    await scene.serve(compute(), { accessPolicy: LegacyRPCAccessPolicy })
    expect(await rejection(scene.client().call({}, method))).toBeInstanceOf(NoSuchMethod)
  })

  it('_private is hidden unless a policy shows it', () => {
    expect(names(compute())).not.toContain('_private')
    const shown = scene.server(compute(), { accessPolicy: LegacyRPCAccessPolicy }).methods
    expect(shown.map(({ name }) => name)).toContain('_private')
  })

  it('expose of a class offers its methods to the classes below, its hooks excepted', () => {
    class Common {
      ping(): string {
        return 'pong'
      }
      close(): void {}
    }
    expose(Common)
    class Below extends Common {
      own(): void {}
    }
    expect(names(new Below())).toEqual(['own', 'ping'])
  })

  it('a method that a class between overrides stays offered, and a getter in its place is not run', () => {
    class Between extends Base {
      override shared(): string {
        return 'between'
      }
    }
    class Below extends Between {
      own(): void {}
    }
    class Hiding extends Base {
      own(): void {}
    }
    Object.defineProperty(Hiding.prototype, 'shared', {
      get() {
        throw new Error('a getter was run')
      },
    })
    expect(names(new Below())).toEqual(['own', 'shared'])
    expect(names(new Hiding())).toEqual(['own'])
  })

  it('a method named like a hook is offered when that very method is marked, one that JavaScript calls never', () => {
    class Door {
      close(): string {
        return 'closed'
      }
      then(): void {}
      open(): void {}
    }
    for (const name of ['close', 'then'] as const) expose(Door.prototype[name])
    expect(names(new Door())).toEqual(['close', 'open'])
  })

  it('a spy or a bound method in a field of the same name runs for the method', async () => {
    const endpoint = compute()
    await scene.serve(endpoint)
    vi.spyOn(endpoint, 'build').mockReturnValue('spied')
    expect(await scene.client().call({}, 'build')).toBe('spied')
  })

  it('what it inherits from the platform is nobody’s interface', () => {
    class Emitting extends EventEmitter {
      go(): void {}
    }
    class Listing extends Map {
      go(): void {}
    }
    expect(names(new Emitting())).toEqual(['go'])
    expect(names(new Listing())).toEqual(['go'])
  })

  it('old-style decorators mark, too', () => {
    class Old {
      a(): void {}
    }
    class Below extends Old {
      b(): void {}
    }
    const descriptor = Object.getOwnPropertyDescriptor(Old.prototype, 'a') as PropertyDescriptor
    expose(Old.prototype, 'a', descriptor)
    expect(names(new Below())).toEqual(['b', 'a'])
  })
})

describe('what a plain object offers', () => {
  it('its own functions, not classes, getters, hidden or inherited ones', () => {
    const inherited = Object.create({ inherited() {} }) as object
    const endpoint = Object.assign(inherited, { go() {}, value: 7, Model: class {}, close() {}, toJSON() {} })
    Object.defineProperty(endpoint, 'lazy', { enumerable: true, get: () => () => 1 })
    Object.defineProperty(endpoint, 'hidden', { value: () => 1 })
    expect(names(endpoint)).toEqual(['go'])
  })

  it('without a prototype, too', () => {
    expect(names(Object.assign(Object.create(null) as object, { go() {} }))).toEqual(['go'])
  })

  it('a class given as endpoint offers its static methods, not what its static fields hold', () => {
    class Tools {
      static readonly field = (): number => 1
      static add(): void {}
    }
    expect(names(Tools)).toEqual(['add'])
  })
})

describe('server.methods and the debug line', () => {
  it('names every namespace and version, and what the policy hides is not there', async () => {
    const target = new Target({ namespace: 'vm', version: '2.1', legacyNamespaces: ['old'] })
    const server = await scene.serve([{ target, a: expose(() => 1), b: () => 2 }, { c: expose(() => 3) }], {
      accessPolicy: ExplicitRPCAccessPolicy,
    })
    expect(server.methods).toEqual([
      { name: 'a', namespace: 'vm', version: '2.1', endpoint: 'endpoint 1' },
      { name: 'a', namespace: 'old', version: '2.1', endpoint: 'endpoint 1' },
      { name: 'c', namespace: null, version: '1.0', endpoint: 'endpoint 2' },
    ])
  })

  it('are logged once, with what is not offered and why', async () => {
    const server = await scene.serve(compute())
    await server.stop()
    await server.start()
    const told = scene.log.everything.filter(({ message }) => message.includes('offers'))
    expect(told).toHaveLength(1)
    expect(told[0]).toMatchObject({
      level: 'debug',
      message: expect.stringContaining('offers build 1.2, shared 1.2'),
      fields: {
        methods: server.methods,
        notOffered: {
          'Compute.arrow': expect.stringMatching(/field/),
          'Compute.auditTrail': expect.stringMatching(/base class Base.*expose/),
          'Compute.close': expect.stringMatching(/expose/),
          'Compute._private': expect.stringMatching(/DefaultRPCAccessPolicy/),
        },
      },
    })
  })

  it('a call for what is there and not offered tells the server’s log why, and the client nothing', async () => {
    await scene.serve(compute())
    const error = await rejection(scene.client().call({}, 'arrow'))
    expect(error).toMatchObject({ message: expect.not.stringContaining('field') })
    expect(scene.log.lines.find(({ level }) => level === 'error')?.message).toMatch(/arrow .*field/)
  })

  it('warns when the access policy hides everything', async () => {
    scene.server({ a: () => 1 }, { accessPolicy: ExplicitRPCAccessPolicy })
    expect(scene.log.lines).toMatchObject([
      { level: 'warn', message: expect.stringMatching(/ExplicitRPCAccessPolicy hides .*: a.*expose/) },
    ])
  })
})

describe('the declared interface as a value', () => {
  it('offers nothing else: a method that only TypeScript calls private is out', async () => {
    class Service {
      build(): string {
        return this.wipe()
      }
      private wipe(): string {
        return 'wiped'
      }
    }
    expect(names(new Service())).toEqual(['build', 'wipe'])
    const server = await scene.serve(new Service(), { exposes: { build: true } })
    expect(server.methods.map(({ name }) => name)).toEqual(['build'])
    expect(await scene.client().call({}, 'build')).toBe('wiped')
    expect(await rejection(scene.client().call({}, 'wipe'))).toBeInstanceOf(NoSuchMethod)
  })

  it('names what no endpoint has, and what is no list of names', () => {
    expect(() => scene.server({ add() {} }, { exposes: { ad: true } })).toThrow(/exposes names ad, .*did you mean add/)
    const wrong = ['add'] as unknown as Record<string, true>
    expect(() => scene.server({ add() {} }, { exposes: wrong })).toThrow(/exposes .*\{ add: true \}/)
  })
})

describe('an endpoint that offers nothing', () => {
  it.each<[string, object, RegExp]>([
    ['{}', {}, /endpoint 1 .*offers no method.*\{ add:/],
    ['a lone target', { target: new Target() }, /endpoint 1 .*offers no method/],
    [
      'fields only',
      new (class Fields {
        go = () => 1
      })(),
      /Fields offers no method: go .*field/,
    ],
    ['helpers of a base', new (class Thin extends Base {})(), /Thin offers shared|^/],
    ['a map', new Map([['a', 1]]), /Map offers no method/],
    ['a catch-all', new Proxy({}, { get: () => () => 1 }), /Proxy.*getOwnPropertyDescriptor|Proxy.*list/],
  ])('%s', (_name, endpoint, text) => {
    if (endpoint instanceof Base) return expect(names(endpoint)).toEqual(['shared'])
    const error = thrownBy(() => scene.server(endpoint))
    expect(error).toBeInstanceOf(TypeError)
    expect((error as Error).message).toMatch(text)
  })

  it('a proxy around an instance offers what the instance does, through its handler', async () => {
    const seen: string[] = []
    const proxy = new Proxy(compute(), {
      get(target, name, receiver) {
        if (typeof name === 'string') seen.push(name)
        const value: unknown = Reflect.get(target, name, receiver)
        return typeof value === 'function' ? (value.bind(target) as unknown) : value
      },
    })
    await scene.serve(proxy)
    expect(await scene.client().call({}, 'build')).toBe('built it')
    expect(seen).toContain('build')
  })
})

describe('marks', () => {
  it('survive a second copy of the library, which knows them by a registered symbol', () => {
    const fn = expose(() => 1)
    expect(Object.getOwnPropertySymbols(fn)).toContain(Symbol.for('oslo-messaging.exposed'))
    expect(Object.keys(fn)).toEqual([])
  })

  it('declareArguments is a decorator too', async () => {
    class Service {
      build(_context: object, { name }: { name: string }): string {
        return name
      }
    }
    const build = expectedExceptions([ValueError])(Service.prototype.build)
    Service.prototype.build = declareArguments(['name'])(build)
    await scene.serve(new Service())
    expect(await scene.client().call({}, 'build', { name: 'x' })).toBe('x')
    expect(await rejection(scene.client().call({}, 'build', {}))).toMatchObject({
      message: expect.stringContaining("missing 1 required positional argument: 'name'"),
    })
  })
})
