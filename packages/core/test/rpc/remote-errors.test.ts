import { describe, expect, it } from 'vitest'
import { AuthenticationError, MessagingTimeout, RemoteError, ValueError } from '../../src/index.ts'
import { createManualClock } from '../../src/testing.ts'
import { createScene, rejection } from './scene.ts'

class OutOfStock extends Error {
  override readonly name = 'OutOfStock'
  readonly item: string
  readonly left: number
  constructor(item: string, left: number) {
    super(`${left} of ${item} left`)
    this.item = item
    this.left = left
  }
}

const stock = {
  buy: () => {
    throw new OutOfStock('lamp', 2)
  },
}

describe('errors between Node services', () => {
  it('one entry in remoteErrors, on both sides, brings an error across with its fields', async () => {
    await using scene = await createScene({
      remoteErrors: {
        'shop.errors': {
          OutOfStock: {
            class: OutOfStock,
            encode: ({ item, left }: OutOfStock) => ({ args: [item], kwargs: { left } }),
            decode: ({ args, kwargs }) => new OutOfStock(String(args[0]), Number(kwargs['left'])),
          },
        },
      },
    })
    await scene.serve(stock)
    const error = await rejection(scene.client().call({}, 'buy'))
    expect(error).toBeInstanceOf(OutOfStock)
    expect(error).toMatchObject({ item: 'lamp', left: 2, message: '2 of lamp left' })
    expect((error as Error).cause).toMatchObject({ module: 'shop.errors', excType: 'OutOfStock', kwargs: { left: 2 } })
  })

  it('a class whose constructor wants more than the failure has is not made with wrong fields', async () => {
    await using scene = await createScene({ remoteErrors: { 'shop.errors': { OutOfStock } } })
    await scene.serve(stock)
    const error = await rejection(scene.client().call({}, 'buy'))
    expect(error).toBeInstanceOf(RemoteError)
    expect((error as Error).cause).toMatchObject({
      message: 'OutOfStock takes 2 arguments and the failure has 1: give encode and decode in remoteErrors',
    })
  })

  it('what encode or decode throws costs nobody the error', async () => {
    const refuse = (): never => {
      throw new Error('cannot')
    }
    for (const codec of [
      { class: OutOfStock, encode: refuse, decode: () => new OutOfStock('x', 1) },
      { class: OutOfStock, encode: () => ({ args: [] }), decode: refuse },
    ]) {
      await using scene = await createScene({ remoteErrors: { 'shop.errors': { OutOfStock: codec } } })
      await scene.serve(stock)
      expect(await rejection(scene.client().call({}, 'buy'))).toMatchObject({
        message: expect.stringContaining('2 of lamp left'),
      })
    }
  })

  it.each([
    ['RangeError', () => new RangeError('too far'), RangeError],
    ['SyntaxError', () => new SyntaxError('no'), SyntaxError],
    ['URIError', () => new URIError('no'), URIError],
    ['TypeError', () => new TypeError('no'), TypeError],
    ['Error', () => new Error('plain'), Error],
  ])('%s arrives as itself, with its code', async (name, make, Class) => {
    await using scene = await createScene()
    await scene.serve({
      fail: () => {
        throw Object.assign(make(), { code: 'ENOSPC' })
      },
    })
    const error = await rejection(scene.client().call({}, 'fail'))
    expect(error).toBeInstanceOf(Class)
    expect(error).toMatchObject({ name, code: 'ENOSPC', message: make().message, cause: { name: 'RemoteError' } })
  })

  it('an error that Python has keeps its code, too, where it is text or a number', async () => {
    await using scene = await createScene()
    await scene.serve({
      fail: (_context: object, { code }: { code: unknown }) => {
        throw Object.assign(new ValueError('bad'), { code })
      },
    })
    const client = scene.client()
    expect(await rejection(client.call({}, 'fail', { code: 'E_BAD' }))).toMatchObject({
      name: 'ValueError',
      code: 'E_BAD',
    })
    expect(await rejection(client.call({}, 'fail', { code: 42 }))).toMatchObject({ code: 42 })
    expect(await rejection(client.call({}, 'fail', { code: { deep: 1 } }))).not.toHaveProperty('code')
  })
})

describe('errors of a driver', () => {
  it('one object for two callers - each gets a stack of its own', async () => {
    const shared = new AuthenticationError('refused')
    await using scene = await createScene({
      driver: (memory) => ({
        ...memory,
        open: async (url, context) => {
          const driver = await memory.open(url, context)
          driver.send = async () => {
            throw shared
          }
          return driver
        },
      }),
    })
    const firstCaller = async (): Promise<unknown> => await scene.client().call({}, 'go')
    const secondCaller = async (): Promise<unknown> => await scene.client().call({}, 'go')
    const [first, second] = (await Promise.all([rejection(firstCaller()), rejection(secondCaller())])) as Error[]
    expect(first?.stack).toContain('firstCaller')
    expect(second?.stack).toContain('secondCaller')
    expect(first?.stack).not.toContain('secondCaller')
    expect(second).toBeInstanceOf(AuthenticationError)
    expect(second).toMatchObject({ message: 'refused', code: 'OSLO_MESSAGING_AUTHENTICATION' })
  })
})

describe('a call that times out', () => {
  it('names exchange, topic and server, and says that no queue took the request', async () => {
    const clock = createManualClock()
    await using scene = await createScene({ clock })
    const failed = rejection(scene.client({}, { server: 'nowhere' }).call({}, 'go', {}, { timeoutMs: 5 }))
    await clock.advance(5)
    const error = await failed
    expect(error).toBeInstanceOf(MessagingTimeout)
    expect(error).toMatchObject({ delivery: 'not-sent', phase: 'reply', retryable: true })
    expect((error as Error).message).toBe(
      `No reply to a request that no queue took within 5 ms (go of <Target exchange=openstack, topic=${scene.topic}, server=nowhere>)`,
    )
  })

  it('confirmed is said of a request that a queue took', async () => {
    const clock = createManualClock()
    await using scene = await createScene({ clock })
    await scene.serve({ never: () => new Promise(() => {}) })
    const failed = rejection(scene.client({}, { exchange: 'other' }).call({}, 'never', {}, { timeoutMs: 5 }))
    const taken = rejection(scene.client().call({}, 'never', {}, { timeoutMs: 5 }))
    await clock.advance(5)
    expect(await failed).toMatchObject({ delivery: 'not-sent', message: expect.stringContaining('exchange=other') })
    expect(await taken).toMatchObject({
      delivery: 'confirmed',
      message: expect.stringMatching(/^No reply within 5 ms/),
    })
  })
})
