import { describe, expect, it } from 'vitest'
import { NO_CAPABILITIES } from '../../../src/driver/capabilities.ts'
import type { Driver, DriverContext, DriverDefinition, Listener } from '../../../src/driver/driver.ts'
import { ManagedDriver } from '../../../src/driver/host/managed-driver.ts'
import { type RefusableCapability, requireCapability } from '../../../src/driver/host/require-capability.ts'
import {
  ClosedError,
  DriverLoadFailure,
  MessagingTimeout,
  TransportDriverError,
  UnsupportedCapability,
} from '../../../src/errors.ts'
import { Target } from '../../../src/target.ts'
import { createMemoryDriver } from '../../../src/memory/create-memory-driver.ts'
import { createDriverContext } from '../../../src/testing/driver-context.ts'
import { TransportURL } from '../../../src/url/transport-url.ts'
import { Deadline } from '../../../src/util/deadline.ts'
import { createDeferred } from '../../../src/util/deferred.ts'
import { rejection, thrownBy } from '../../rpc/scene.ts'

const url = new TransportURL({ transport: 'scripted' })
const target = new Target({ topic: 't', server: 's' })
const request = { context: {}, message: { method: 'm', args: {} } }
const notification = {
  context: {},
  message: { message_id: 'i', publisher_id: null, event_type: 'e', priority: 'INFO', payload: 1, timestamp: 'now' },
}
const sendOptions = (signal?: AbortSignal) => ({
  waitForReply: false,
  deadline: Deadline.after(5000, { signal }),
  expiresInMs: null,
  callMonitorTimeoutMs: null,
  retries: 0,
  atLeastOnce: false,
})
const listenOptions = (signal?: AbortSignal) => ({
  deadline: Deadline.after(5000, { signal }),
  prefetch: 1,
  onMessage: () => {},
})
const quietListener = (): Listener => ({ closed: new Promise(() => {}), stop: async () => {}, close: async () => {} })

/** A managed driver over the given methods; the rest count how often they are used. */
async function manage(methods: Partial<Driver> = {}) {
  const used: string[] = []
  const note = (name: string): void => void used.push(name)
  const driver: Driver = {
    send: async () => {
      note('send')
      return undefined
    },
    sendNotification: async () => note('sendNotification'),
    listen: async () => (note('listen'), quietListener()),
    listenForNotifications: async () => (note('listenForNotifications'), quietListener()),
    health: () => ({ status: 'ok', components: [] }),
    close: async () => note('close'),
    ...methods,
  }
  const definition: DriverDefinition = {
    name: 'scripted',
    schemes: ['scripted'],
    capabilities: { ...NO_CAPABILITIES, rpc: true, notifications: true },
    open: () => driver,
  }
  const managed = await ManagedDriver.open(definition, url, createDriverContext(definition))
  /** Every operation, by name. */
  const operations = {
    send: (signal?: AbortSignal) => managed.send(target, request, sendOptions(signal)),
    sendNotification: (signal?: AbortSignal) =>
      managed.sendNotification(target, notification, {
        version: '2.0',
        deadline: Deadline.after(5000, { signal }),
        retries: 0,
      }),
    listen: (signal?: AbortSignal) => managed.listen(target, listenOptions(signal)),
    listenForNotifications: (signal?: AbortSignal) =>
      managed.listenForNotifications([], { ...listenOptions(signal), pool: null, allowRequeue: false }),
  }
  return { managed, used, operations }
}

type Operation = keyof Awaited<ReturnType<typeof manage>>['operations']
const OPERATIONS: readonly Operation[] = ['send', 'sendNotification', 'listen', 'listenForNotifications']

describe('ManagedDriver', () => {
  it.each(OPERATIONS)('%s - reaches the driver', async (operation) => {
    const { operations, used } = await manage()
    await operations[operation]()
    expect(used).toEqual([operation])
  })

  it.each(OPERATIONS)('%s - is refused after close, and while it closes', async (operation) => {
    const closing = createDeferred<void>()
    const { managed, operations, used } = await manage({ close: () => closing.promise })
    const closed = managed.close()
    expect(await rejection(operations[operation]())).toBeInstanceOf(ClosedError)
    closing.resolve()
    await closed
    const error = await rejection(operations[operation]())
    expect(error).toMatchObject({
      code: 'OSLO_MESSAGING_CLOSED',
      message: 'The scripted transport is closed',
      delivery: 'not-sent',
    })
    expect(used).toEqual([])
  })

  it.each(OPERATIONS)('%s - an aborted signal never reaches the driver', async (operation) => {
    const { operations, used } = await manage()
    const reason = new Error('enough')
    expect(await rejection(operations[operation](AbortSignal.abort(reason)))).toBe(reason)
    expect(used).toEqual([])
  })

  it.each(OPERATIONS)(
    '%s - what the driver throws or rejects with becomes typed, whatever it is',
    async (operation) => {
      for (const thrown of [new TypeError('bug'), 'a text', undefined]) {
        for (const fail of [
          () => Promise.reject(thrown),
          (): never => {
            throw thrown
          },
        ]) {
          const { operations } = await manage({ [operation]: fail })
          const error = await rejection(operations[operation]())
          expect(error).toBeInstanceOf(TransportDriverError)
          expect((error as Error).cause).toBe(thrown)
        }
      }
    },
  )

  it.each(OPERATIONS)('%s - typed errors and the reason of the signal pass as they are', async (operation) => {
    const typed = new MessagingTimeout('late')
    const { operations } = await manage({ [operation]: () => Promise.reject(typed) })
    expect(await rejection(operations[operation]())).toBe(typed)
    const controller = new AbortController()
    const reason = { not: 'an error' }
    const second = await manage({
      [operation]: async () => {
        controller.abort(reason)
        throw reason
      },
    })
    expect(await rejection(second.operations[operation](controller.signal))).toBe(reason)
  })

  it('close - closes the driver once and every caller waits for it', async () => {
    const { managed, used } = await manage()
    await Promise.all([managed.close(), managed.close()])
    await managed.close()
    expect(used).toEqual(['close'])
    expect(managed.isClosed).toBe(true)
  })

  it('close - a subscription that comes about meanwhile is closed again', async () => {
    const listening = createDeferred<Listener>()
    let closed = 0
    const { managed, operations } = await manage({ listen: () => listening.promise })
    const failed = rejection(operations.listen())
    await managed.close()
    listening.resolve({ ...quietListener(), close: async () => void (closed += 1) })
    expect(await failed).toBeInstanceOf(ClosedError)
    expect(closed).toBe(1)
  })

  it('health - says draining while it closes and closed afterwards', async () => {
    const closing = createDeferred<void>()
    const { managed } = await manage({ close: () => closing.promise })
    expect(managed.health().status).toBe('ok')
    const closed = managed.close()
    expect(managed.health().status).toBe('draining')
    closing.resolve()
    await closed
    expect(managed.health().status).toBe('closed')
  })

  it('a lost subscription rejects `closed` with a typed error, and nobody has to look', async () => {
    const lost = createDeferred<void>()
    const { operations } = await manage({ listen: async () => ({ ...quietListener(), closed: lost.promise }) })
    const listener = await operations.listen()
    lost.reject(new RangeError('gone'))
    await new Promise<void>((resolve) => setImmediate(resolve))
    expect(await rejection(listener.closed)).toMatchObject({
      code: 'OSLO_MESSAGING_DRIVER',
      cause: { name: 'RangeError' },
    })
  })

  it('open - a package the driver needs and that is not installed is named with the remedy', async () => {
    const memory = createMemoryDriver() as DriverDefinition
    const missing = Object.assign(new Error("Cannot find package 'amqplib'"), { code: 'ERR_MODULE_NOT_FOUND' })
    const open = () => Promise.reject(missing)
    const error = await rejection(ManagedDriver.open({ ...memory, open }, url, createDriverContext(memory)))
    expect(error).toBeInstanceOf(DriverLoadFailure)
    expect(error).toMatchObject({ cause: missing, message: expect.stringMatching(/amqplib.*npm install/) })
  })

  it('open - an error of the driver is typed, one that is typed already passes', async () => {
    const memory = createMemoryDriver()
    const typed = new UnsupportedCapability('x', 'y')
    for (const [thrown, expected] of [
      [new Error('no file'), TransportDriverError],
      [typed, UnsupportedCapability],
    ] as const) {
      const open = (): never => {
        throw thrown
      }
      const context: DriverContext = createDriverContext(memory)
      expect(await rejection(ManagedDriver.open({ ...memory, open }, url, context))).toBeInstanceOf(expected)
    }
  })
})

describe('requireCapability', () => {
  const all: readonly RefusableCapability[] = [
    'rpc',
    'notifications',
    'rpcFanout',
    'rpcCallMonitoring',
    'rpcAtLeastOnce',
    'requeue',
    'pools',
  ]

  it.each(all)(
    '%s - passes where it is declared, and is refused with the driver, the capability and a remedy',
    (capability) => {
      requireCapability({ name: 'd', capabilities: { ...NO_CAPABILITIES, [capability]: true } }, capability)
      const error = thrownBy(() => requireCapability({ name: 'dee', capabilities: NO_CAPABILITIES }, capability))
      expect(error).toBeInstanceOf(UnsupportedCapability)
      expect(error).toMatchObject({ capability, message: expect.stringMatching(/^dee .+: (set|leave) /) })
    },
  )
})
