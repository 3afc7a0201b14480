import 'reflect-metadata'
import { BadRequestException } from '@nestjs/common'
import { RpcException } from '@nestjs/microservices'
import { Test } from '@nestjs/testing'
import { getRpcServer, Messaging, type MessagingError, type RPCClient, ValueError } from '@oslo-messaging/core'
import { firstValueFrom } from 'rxjs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { clientProxyToken, type OsloClient, OsloServer, rpcClientToken } from '../../src/index.ts'
import { createOsloTestingModule } from '../../src/testing.ts'
import { errorOf, ERRORS } from './every-error.ts'
import { ThrowingController } from './throwing.ts'

const OTHERS: readonly (readonly [string, () => unknown])[] = [
  ["one of Python's", () => new ValueError('count is wrong')],
  ['one with a code', () => Object.assign(new Error('disk full'), { code: 'ENOSPC' })],
  ['TypeError', () => new TypeError('not a function')],
  ['an HttpException of Nest', () => new BadRequestException('no item')],
  ['an RpcException of Nest', () => new RpcException('refused')],
  ['a text', () => 'just text'],
]
const ALL = [...ERRORS.map(({ name, code }) => [name, () => errorOf(name, code)] as const), ...OTHERS]

/** Every error in both directions: from a method to its caller, and from the bus to who calls. */
export function describeErrors(version: string): void {
  describe(`errors in Nest ${version}`, () => {
    let app: Awaited<ReturnType<typeof open>>
    beforeAll(async () => {
      app = await open()
    })
    afterAll(async () => await app.close())

    it.each(ALL)('what a method throws reaches the caller as from a server without Nest: %s', async (_name, make) => {
      ThrowingController.thrown = make()
      const [nest, plain, observed] = await Promise.all([
        caught(app.client('nest').call({}, 'fail')),
        caught(app.client('plain').call({}, 'fail')),
        caught(firstValueFrom(app.proxy('nest').send('fail', {}))),
      ])
      expect(factsOf(nest)).toEqual(factsOf(plain))
      expect(factsOf(observed)).toEqual(factsOf(plain))
      expect(factsOf(plain)['delivery'] ?? 'confirmed').toBe('confirmed')
    })

    it.each(ALL)(
      'what a call ends with is what the application gets, promise and observable: %s',
      async (_name, make) => {
        const ways = [
          async () => await app.client('nest').call({}, 'fail'),
          async () => await firstValueFrom(app.proxy('nest').send('fail', {})),
          async () => await firstValueFrom(app.proxy('nest').emit({ method: 'fail' }, {})),
        ]
        const seen: unknown[] = []
        for (const way of ways) {
          app.failNext(make())
          seen.push(decisive(await caught(way())))
        }
        // The first is core's own client, which names whom a call was for, and calls a driver's error ClientSendError.
        const [plain, ...nest] = seen
        expect(nest).toEqual([plain, plain])
        const { class: _class, code: _code, ...kept } = decisive(make())
        expect(plain).toMatchObject(kept)
      },
    )
  })
}

/** What a caller decides by. */
function decisive(error: unknown): Readonly<Record<string, unknown>> {
  if (!(error instanceof Error)) return { thrown: error }
  const { code, phase, delivery, retryable } = error as Partial<MessagingError>
  return { class: error.constructor, code, phase, delivery, retryable }
}

/** What a caller sees. Stacks and tracebacks differ. */
function factsOf(error: unknown): Readonly<Record<string, unknown>> {
  if (!(error instanceof Error)) return { thrown: error }
  const {
    stack: _stack,
    cause: _cause,
    traceback: _traceback,
    ...fields
  } = Object.fromEntries(Object.getOwnPropertyNames(error).map((name) => [name, (error as never)[name]])) as Readonly<
    Record<string, unknown>
  >
  return { class: error.constructor.name, ...fields }
}

async function caught(promise: Promise<unknown>): Promise<unknown> {
  try {
    return new Error(`It resolved to ${JSON.stringify(await promise)}`)
  } catch (error) {
    return error
  }
}

async function open() {
  const { module } = createOsloTestingModule({
    server: { topic: 'nest', server: 'one' },
    clients: { nest: { topic: 'nest' }, plain: { topic: 'plain' } },
  })
  const compiled = await Test.createTestingModule({ imports: [module], controllers: [ThrowingController] }).compile()
  const service = compiled.createNestMicroservice({ strategy: compiled.get(OsloServer), logger: false })
  await service.listen()
  const messaging = compiled.get(Messaging)
  const plain = getRpcServer(
    messaging.rpc,
    { topic: 'plain', server: 'one' },
    {
      fail: () => {
        throw ThrowingController.thrown
      },
    },
  )
  await plain.start()
  let failure: { readonly error: unknown } | undefined
  const failOnce = async <T>(_operation: object, next: () => Promise<T>): Promise<T> => {
    const failing = failure
    failure = undefined
    if (failing !== undefined) throw failing.error
    return await next()
  }
  messaging.rpc.use({ call: failOnce, cast: failOnce })
  return {
    client: (name: string): RPCClient => compiled.get(rpcClientToken(name)),
    proxy: (name: string): OsloClient => compiled.get(clientProxyToken(name)),
    failNext: (error: unknown) => void (failure = { error }),
    close: async () => {
      await plain.stop()
      await service.close()
    },
  }
}
