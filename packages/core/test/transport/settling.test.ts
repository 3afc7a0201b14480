/// <reference lib="esnext.disposable" />
import { randomUUID } from 'node:crypto'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { expect, it } from 'vitest'
import {
  type FailurePolicy,
  getBatchNotificationListener,
  getNotificationListener,
  type NotificationEndpoint,
  NotificationResult,
  Notifier,
  type SettleOperation,
} from '../../src/index.ts'
import type { IncomingNotification } from '../../src/driver/messages.ts'
import { interceptNotification } from '../../src/transport/settling.ts'
import { createScene } from '../rpc/scene.ts'

/** Notifications over a broker in the process, and what was settled how. */
async function scene(endpoint: NotificationEndpoint, onFailure?: FailurePolicy, options: { allowRequeue?: true } = {}) {
  const at = await createScene()
  const topic = `n${randomUUID().slice(0, 8)}`
  const settled: SettleOperation[] = []
  at.transport.use({
    settle: async (operation, next) => {
      await next()
      settled.push(operation)
    },
  })
  const policy = onFailure === undefined ? {} : { onFailure }
  await getNotificationListener(at.transport, [{ topic }], [endpoint], {
    ...policy,
    ...options,
  }).start()
  const notifier = new Notifier(at.transport, { driver: 'messagingv2', topics: [topic] })
  return {
    settled,
    topic,
    transport: at.transport,
    notify: async (headers = {}) => await notifier.info({}, 'e', {}, { headers }),
    [Symbol.asyncDispose]: async () => await at[Symbol.asyncDispose](),
  }
}

const fail = (): never => {
  throw new Error('no')
}

it('a notification that was handled is acknowledged inside the interceptor, with the headers it came with', async () => {
  await using at = await scene({ info: () => undefined })
  await at.notify({ traceparent: '00-1' })
  await expect.poll(() => at.settled).toHaveLength(1)
  expect(at.settled[0]).toMatchObject({
    kind: 'settle',
    driver: 'memory',
    receiver: `notification listener ${at.topic}`,
    action: 'acknowledge',
    headers: { traceparent: '00-1' },
  })
})

it.each<[string, FailurePolicy, readonly string[]]>([
  ['default', { then: 'default' }, ['acknowledge']],
  ['dead-letter', { then: 'dead-letter' }, ['dead-letter']],
  // This broker delivers nothing later by itself: core keeps it, unsettled.
  ['a retry, then dead-letter', { attempts: 2, backoff: 1, then: 'dead-letter' }, ['dead-letter']],
])('what fails is settled by its policy: %s', async (_name, policy, actions) => {
  await using at = await scene({ info: fail }, policy)
  await at.notify()
  await expect.poll(() => at.settled.map(({ action }) => action)).toEqual(actions)
})

it('what is handed back is requeued, and acknowledged when it comes again', async () => {
  let times = 0
  const info = (): 'requeue' | undefined => ((times += 1) === 1 ? NotificationResult.REQUEUE : undefined)
  await using at = await scene({ info }, undefined, { allowRequeue: true })
  await at.notify()
  await expect.poll(() => at.settled.map(({ action }) => action)).toEqual(['requeue', 'acknowledge'])
})

it('a broker that can refuse, or deliver later, is asked inside it, and what it says of a later delivery is passed on', async () => {
  const lines: string[] = []
  class Delivery implements IncomingNotification {
    readonly context = {}
    readonly message = {}
    #isSettled = false
    get isSettled(): boolean {
      return this.#isSettled
    }
    acknowledge(): void {
      lines.push('acknowledged')
    }
    requeue(): void {
      lines.push('requeued')
    }
    discard(): void {
      this.#isSettled = true
    }
    async retryLater(delayMs: number): Promise<void> {
      throw new Error(`no room for ${delayMs} ms`)
    }
  }
  const settle = async ({ action }: SettleOperation, next: () => Promise<void>): Promise<void> => {
    lines.push(action)
    await next()
  }
  const delivery = interceptNotification(new Delivery(), [settle], { driver: 'd', receiver: 'r' })
  await expect(delivery.retryLater?.(5, { attempts: 1, error: null, headers: {} })).rejects.toThrow('no room for 5 ms')
  delivery.discard?.()
  expect([lines, delivery.isSettled]).toEqual([['retry-later', 'discard'], true])
  delivery.acknowledge()
  expect(lines).toEqual(['retry-later', 'discard', 'acknowledged'])
})

it('each notification of a batch is settled by itself', async () => {
  await using at = await createScene()
  const topic = `n${randomUUID().slice(0, 8)}`
  const actions: string[] = []
  at.transport.use({
    settle: async ({ action }, next) => {
      await next()
      actions.push(action)
    },
  })
  await getBatchNotificationListener(at.transport, [{ topic }], [{ info: () => undefined }], { batchSize: 2 }).start()
  const notifier = new Notifier(at.transport, { driver: 'messagingv2', topics: [topic] })
  await Promise.all([notifier.info({}, 'e', 1), notifier.info({}, 'e', 2)])
  await expect.poll(() => actions).toEqual(['acknowledge', 'acknowledge'])
})

it('an interceptor that throws keeps no message from being settled', async () => {
  const errors: unknown[] = []
  const watch = (event: unknown): void => void errors.push(event)
  subscribe('oslo-messaging:background-error', watch)
  try {
    await using at = await scene({ info: () => undefined })
    at.transport.use({ settle: () => Promise.reject(new Error('broken')) })
    await at.notify()
    await expect.poll(() => errors).toMatchObject([{ error: { message: 'broken' } }])
    // A message that nobody settled would be handed back by the end of its listener.
    expect((await at.transport.close()).abandoned).toBe(0)
  } finally {
    unsubscribe('oslo-messaging:background-error', watch)
  }
})

it('a request with late acknowledgement is settled inside it when its reply is handed over, others are not seen', async () => {
  await using at = await createScene()
  const lines: string[] = []
  at.transport.use({
    settle: async ({ action, receiver }, next) => {
      await next()
      lines.push(`${action} of ${receiver}`)
    },
    serve: async (_operation, next) => {
      const result = await next()
      lines.push('served')
      return result
    },
  })
  await at.serve({ work: () => 1 }, { acknowledge: 'after' })
  await at.client().call({}, 'work')
  await expect.poll(() => lines).toEqual(['served', expect.stringMatching(/^acknowledge of RPC server /)])
  await at.serve({ work: () => 1 }, {}, { topic: 'early' })
  await at.client({}, { topic: 'early' }).call({}, 'work')
  expect(lines).toHaveLength(3)
})

/** A delivery that counts what is done to it, inside one interceptor, and what is reported. */
function odd(settle: (operation: SettleOperation, next: () => Promise<void>) => Promise<void>) {
  const done: string[] = []
  const errors: string[] = []
  const watch = (event: unknown): void =>
    void errors.push(((event as { readonly error: unknown }).error as Error).message)
  subscribe('oslo-messaging:background-error', watch)
  const incoming: IncomingNotification = {
    context: {},
    message: {},
    acknowledge: () => void done.push('acknowledge'),
    requeue: () => {
      throw new Error('gone')
    },
    bury: async () => void done.push('bury'),
  }
  return {
    done,
    errors,
    delivery: interceptNotification(incoming, [settle], { driver: 'd', receiver: 'r' }),
    [Symbol.dispose]: () => void unsubscribe('oslo-messaging:background-error', watch),
  }
}

const FAILURE = { attempts: 1, error: null, headers: {} }

it('what an interceptor forgets to settle is settled all the same, and reported', async () => {
  using at = odd(async () => {})
  at.delivery.acknowledge()
  await at.delivery.bury?.(FAILURE)
  await expect.poll(() => at.done).toEqual(['acknowledge', 'bury'])
  expect(at.errors).toEqual([
    'An interceptor did not go on to acknowledge',
    'An interceptor did not go on to dead-letter',
  ])
})

it('an interceptor that goes on twice settles once', async () => {
  using at = odd(async (_operation, next) => {
    await next()
    await next()
  })
  at.delivery.acknowledge()
  await at.delivery.bury?.(FAILURE)
  expect(at.done).toEqual(['acknowledge', 'bury'])
})

it('an interceptor that throws after a dead letter was written has no second one written', async () => {
  using at = odd(async (_operation, next) => {
    await next()
    throw new Error('too late')
  })
  await at.delivery.bury?.(FAILURE)
  expect([at.done, at.errors]).toEqual([['bury'], ['too late']])
})

it('a delivery that cannot be settled after its interceptor threw is reported, not an unhandled rejection', async () => {
  using at = odd(() => Promise.reject(new Error('broken')))
  at.delivery.requeue()
  await expect.poll(() => at.errors).toEqual(['broken', 'gone'])
})
