import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import {
  ClientSendError,
  MessageUndeliverable,
  MessagingTimeout,
  RemoteError,
  ServerLost,
  TransportDriverError,
  ValueError,
} from '../../../src/index.ts'
import { createManualClock } from '../../../src/testing.ts'
import { createDeferred } from '../../../src/util/deferred.ts'
import { createScene, rejection, type Scene, turn } from '../scene.ts'

let scene: Scene
beforeEach(async () => {
  scene = await createScene()
})
afterEach(async () => {
  await scene[Symbol.asyncDispose]()
})

const echo = { echo: (_context: object, args: object) => args }

describe('RPC client - time, retries and errors', () => {
  it.each([
    ['of the call', { timeoutMs: 9000 }, 1000, 1000],
    ['of the client', { timeoutMs: 2000 }, undefined, 2000],
    ['of the configuration', {}, undefined, 3000],
  ])('C10 timeout - %s', async (_, options, callTimeoutMs, expected) => {
    const clock = createManualClock()
    await using timed = await createScene({ clock, defaults: { rpc_response_timeout: 3 } })
    await timed.serve({ never: () => new Promise(() => {}) })
    const failed = rejection(
      timed.client(options).call({}, 'never', {}, callTimeoutMs === undefined ? {} : { timeoutMs: callTimeoutMs }),
    )
    await turn()
    await clock.advance(expected - 1)
    await turn()
    await clock.advance(1)
    const error = await failed
    expect(error).toBeInstanceOf(MessagingTimeout)
    expect(error).toMatchObject({ phase: 'reply', delivery: 'confirmed', timeoutMs: expected })
    expect((error as Error).message).toBe(
      `No reply within ${expected} ms (never of <Target exchange=openstack, topic=${timed.topic}>)`,
    )
  })

  it('C10 timeout - the stack begins where the call was made', async () => {
    await scene.serve({ never: () => new Promise(() => {}) })
    const thisFunctionCalls = async (): Promise<unknown> => await scene.client().call({}, 'never', {}, { timeoutMs: 5 })
    const error = await rejection(thisFunctionCalls())
    expect(error).toBeInstanceOf(MessagingTimeout)
    expect((error as Error).stack?.split('\n')[1]).toContain('thisFunctionCalls')
  })

  it('C10 timeout - one that the method raised is its own, and names the call it waited for itself', async () => {
    await scene.serve({
      asks: () => {
        throw new MessagingTimeout('No reply within 7 ms (elsewhere)')
      },
    })
    const error = await rejection(scene.client().call({}, 'asks'))
    expect(error).toMatchObject({ message: 'No reply within 7 ms (elsewhere)', cause: { excType: 'MessagingTimeout' } })
  })

  it('C11 retry - 0 is one attempt, N so many more, null and -1 go on until the deadline', async () => {
    await scene.serve(echo)
    scene.faults.refusePublish({ every: true, kind: 'request' })
    for (const retry of [0, 2]) {
      const error = await rejection(scene.client({ retry }).call({}, 'echo', {}, { timeoutMs: 5000 }))
      expect(error).toMatchObject({ code: 'OSLO_MESSAGING_DELIVERY', attempts: retry + 1, delivery: 'not-sent' })
    }
    for (const retry of [null, -1]) {
      const error = await rejection(scene.client({ retry }).call({}, 'echo', {}, { timeoutMs: 30 }))
      expect(error).toMatchObject({ code: 'OSLO_MESSAGING_TIMEOUT', delivery: 'not-sent' })
    }
  })

  it('C12 call_monitor_timeout - fails when nothing is heard, and lives on with signs of life', async () => {
    const clock = createManualClock()
    await using timed = await createScene({ clock })
    const done = createDeferred<string>()
    await timed.serve({ slow: () => done.promise })
    const client = timed.client({ timeoutMs: 3_600_000, callMonitorTimeoutMs: 2000 })
    const slow = client.call({}, 'slow')
    await turn()
    for (let second = 0; second < 10; second += 1) {
      await clock.advance(1000)
      await turn()
    }
    done.resolve('alive')
    expect(await slow).toBe('alive')

    const unmonitored = timed.client({ timeoutMs: 3_600_000, callMonitorTimeoutMs: 1000 })
    const lost = rejection(unmonitored.prepare({ server: 'nobody' }).call({}, 'slow'))
    await turn()
    await clock.advance(1000)
    expect(await lost).toBeInstanceOf(ServerLost)
  })

  it('C13 at_least_once - an unroutable message is undeliverable at once, for calls and casts', async () => {
    const client = scene.client({ transportOptions: { atLeastOnce: true } })
    for (const sent of [client.call({}, 'go'), client.cast({}, 'go')])
      expect(await rejection(sent)).toBeInstanceOf(MessageUndeliverable)
    const plain = client.prepare({ transportOptions: { atLeastOnce: false } })
    expect(await rejection(plain.call({}, 'go', {}, { timeoutMs: 20 }))).toBeInstanceOf(MessagingTimeout)
  })

  it('C14 remote errors - a builtin arrives as itself, an unknown class as RemoteError', async () => {
    class Unknown extends Error {}
    await scene.serve({
      value: () => {
        throw new ValueError('bad')
      },
      other: async () => {
        throw new Unknown('odd')
      },
    })
    const client = scene.client()
    const thisFunctionCalls = async (): Promise<unknown> => await client.call({}, 'value')
    const error = await rejection(thisFunctionCalls())
    expect(error).toBeInstanceOf(ValueError)
    expect(error).toMatchObject({ message: 'bad', cause: { traceback: expect.arrayContaining(['ValueError: bad\n']) } })
    expect((error as Error).stack?.split('\n')[1]).toContain('thisFunctionCalls')
    const other = await rejection(client.call({}, 'other'))
    expect(other).toBeInstanceOf(RemoteError)
    expect(other).toMatchObject({ excType: 'Unknown', module: 'node', value: 'odd', delivery: 'confirmed' })
  })

  it('C15 allowed_remote_exmods - a class in the table is rebuilt, both ways by the same name', async () => {
    class QuotaError extends Error {}
    await using allowing = await createScene({ allowedRemoteExmods: { 'nova.exception': { QuotaError } } })
    await allowing.serve({
      go: () => {
        throw new QuotaError('too many')
      },
    })
    const error = await rejection(allowing.client().call({}, 'go'))
    expect(error).toBeInstanceOf(QuotaError)
    expect(error).toMatchObject({ name: 'QuotaError_Remote', message: 'too many', cause: { module: 'nova.exception' } })
  })

  it('C16 parallel calls - replies find their callers whatever order they come in', async () => {
    const waiting = new Map<number, () => void>()
    await scene.serve({
      wait: (_context: object, { n }: { n: number }) =>
        new Promise((resolve) => {
          waiting.set(n, () => resolve(n))
          if (waiting.size === 50) for (const end of [...waiting.values()].reverse()) end()
        }),
    })
    const client = scene.client()
    const numbers = Array.from({ length: 50 }, (_, n) => n)
    expect(await Promise.all(numbers.map((n) => client.call({}, 'wait', { n })))).toEqual(numbers)
  })

  it('C17 late replies - are dropped and reported, and the next call works', async () => {
    const dropped = createDeferred<unknown>()
    const onDropped = (event: unknown): void => dropped.resolve(event)
    subscribe('oslo-messaging:message-dropped', onDropped)
    try {
      const late = createDeferred<string>()
      const began = createDeferred<void>()
      const clock = createManualClock()
      await using timed = await createScene({ clock })
      await timed.serve({ late: () => (began.resolve(), late.promise), ...echo })
      const client = timed.client()
      const failed = rejection(client.call({}, 'late', {}, { timeoutMs: 5 }))
      await began.promise
      await clock.advance(5)
      expect(await failed).toBeInstanceOf(MessagingTimeout)
      late.resolve('too late')
      expect(await dropped.promise).toMatchObject({ reason: 'late-reply' })
      expect(await client.call({}, 'echo', { a: 1 })).toEqual({ a: 1 })
    } finally {
      unsubscribe('oslo-messaging:message-dropped', onDropped)
    }
  })

  it('C19 driver errors - become ClientSendError with the driver error as cause', async () => {
    await using broken = await createScene({
      driver: (memory) => ({
        ...memory,
        open: async (url, context) => {
          const driver = await memory.open(url, context)
          driver.send = async () => {
            throw new TransportDriverError('socket closed', { retryable: true, phase: 'publish', delivery: 'unknown' })
          }
          return driver
        },
      }),
    })
    const error = await rejection(broken.client().call({}, 'go'))
    expect(error).toBeInstanceOf(ClientSendError)
    expect(error).toMatchObject({
      target: `<Target exchange=openstack, topic=${broken.topic}>`,
      retryable: true,
      phase: 'publish',
      delivery: 'unknown',
      cause: { message: 'socket closed' },
    })
  })

  it('C19 driver errors - one that is foreign is named and wrapped', async () => {
    await using broken = await createScene({
      driver: (memory) => ({
        ...memory,
        open: async (url, context) => {
          const driver = await memory.open(url, context)
          driver.send = () => {
            throw new TypeError('undefined is not a function')
          }
          return driver
        },
      }),
    })
    const error = await rejection(broken.client().cast({}, 'go'))
    expect(error).toMatchObject({
      code: 'OSLO_MESSAGING_SEND',
      cause: { code: 'OSLO_MESSAGING_DRIVER', cause: { name: 'TypeError' } },
    })
  })

  it('C20 at most once - a request the broker has is not repeated', async () => {
    const clock = createManualClock()
    await using timed = await createScene({ clock })
    timed.faults.dropReply({ every: true })
    await timed.serve(echo)
    const failed = rejection(timed.client({ retry: 5 }).call({}, 'echo', {}, { timeoutMs: 60_000 }))
    for (let step = 0; step < 60; step += 1) {
      await turn()
      await clock.advance(1000)
    }
    expect(await failed).toBeInstanceOf(MessagingTimeout)
    expect(timed.recorder.ofType('delivery')).toHaveLength(1)
  })
})
