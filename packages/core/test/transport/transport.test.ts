import { busOf } from '../../src/driver.ts'
import { randomUUID } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { DRIVER_API, type DriverDefinition } from '../../src/driver/driver.ts'
import {
  ClosedError,
  ConfigurationError,
  DriverLoadFailure,
  getNotificationTransport,
  getRpcClient,
  getRpcServer,
  getRpcTransport,
  getTransport,
  InvalidTarget,
  InvalidTransportURL,
  loadConfig,
  MessageUndeliverable,
  NotificationTransport,
  RemoteError,
  RPCTransport,
  Target,
  TransportURL,
  UnsupportedCapability,
} from '../../src/index.ts'
import { createMemoryDriver, createRecorder } from '../../src/testing.ts'
import { Deadline } from '../../src/util/deadline.ts'
import { createLog, rejection, thrownBy } from '../rpc/scene.ts'

const unique = (): string => randomUUID().slice(0, 8)
const kafka = (): DriverDefinition => {
  const memory = createMemoryDriver() as DriverDefinition
  return { ...memory, name: 'kafka', schemes: ['kafka'], capabilities: { ...memory.capabilities, rpc: false } }
}
const only = (definition: DriverDefinition) => ({ resolve: async () => definition })

describe('transports', () => {
  it('T4 no URL - RPC takes the configured one, null and empty text included', async () => {
    const conf = await loadConfig({ overrides: { DEFAULT: { transport_url: 'memory://configured' } } })
    for (const url of [undefined, null, '']) {
      await using transport = await getRpcTransport(conf, { url })
      expect(transport.url.hosts[0]?.hostname).toBe('configured')
    }
    await using given = await getRpcTransport(conf, { url: 'memory://given' })
    expect(given.url.hosts[0]?.hostname).toBe('given')
  })

  it('T4 no URL - notifications take their own first, then the one of RPC', async () => {
    const overrides = { DEFAULT: { transport_url: 'memory://rpc' } }
    const own = { ...overrides, oslo_messaging_notifications: { transport_url: 'memory://own' } }
    const hostOf = async (
      conf: Awaited<ReturnType<typeof loadConfig>>,
      url?: string,
    ): Promise<string | null | undefined> => {
      await using transport = await getNotificationTransport(conf, { url })
      return transport.url.hosts[0]?.hostname
    }
    expect(await hostOf(await loadConfig({ overrides: own }))).toBe('own')
    expect(await hostOf(await loadConfig({ overrides }))).toBe('rpc')
    expect(await hostOf(await loadConfig({ overrides: own }), 'memory://given')).toBe('given')
  })

  it('T5 URL object - is used as it is', async () => {
    const url = TransportURL.parse('fake://host/v')
    await using transport = await getRpcTransport(await loadConfig(), { url })
    expect(transport.url).toBe(url)
  })

  it.each([[7], [{}], [true], [['memory://']]])(
    'T3 a URL that is neither text nor TransportURL (%j) is refused',
    async (url) => {
      const wrong: unknown = url
      expect(await rejection(getRpcTransport(await loadConfig(), { url: wrong as string }))).toBeInstanceOf(
        InvalidTransportURL,
      )
    },
  )

  it('T2 unknown scheme - DriverLoadFailure', async () => {
    const error = await rejection(getRpcTransport(await loadConfig(), { url: `x${unique()}://` }))
    expect(error).toBeInstanceOf(DriverLoadFailure)
  })

  it.each([
    [DRIVER_API + 1, 'npm install @oslo-messaging/core@latest, or an older release of the driver'],
    [0, 'install a newer release of the driver, or keep the core it was made for'],
    [Number.NaN, 'install a newer release of the driver, or keep the core it was made for'],
  ])('a driver written against version %d of the contract is refused by name', async (api, remedy) => {
    const definition = { ...createMemoryDriver(), api } as DriverDefinition
    const error = await rejection(getRpcTransport(await loadConfig(), { url: 'memory://', registry: only(definition) }))
    expect(error).toBeInstanceOf(DriverLoadFailure)
    expect(error).toMatchObject({
      message: `The driver memory is written for version ${api} of the driver contract, and this core serves version 1: ${remedy}`,
    })
  })

  it('T13 a query that the driver has no option for - ConfigurationError, with options or without', async () => {
    const conf = await loadConfig()
    const { config: _, ...plain } = createMemoryDriver() as DriverDefinition
    for (const registry of [undefined, only(plain)]) {
      const error = await rejection(getRpcTransport(conf, { url: 'memory://h/?nonsense=1', registry }))
      expect(error).toBeInstanceOf(ConfigurationError)
      expect(error).toMatchObject({ message: expect.stringContaining('nonsense') })
    }
  })

  it('T17 get_rpc_transport - a transport for RPC, with the remote errors it allows', async () => {
    await using transport = await getRpcTransport(await loadConfig(), {
      url: `memory://${unique()}`,
      allowedRemoteExmods: ['my.errors'],
    })
    expect(transport).toBeInstanceOf(RPCTransport)
    expect(transport.kind).toBe('rpc')
    expect(
      busOf(transport).remoteErrors.rebuild({
        class: 'A',
        module: 'my.errors',
        message: '',
        tb: [],
        args: [],
        kwargs: {},
      }),
    ).toBeInstanceOf(RemoteError)
    await using server = getRpcServer(transport, new Target({ topic: 't', server: 's' }), [{ go: () => 1 }])
    await server.start()
    expect(await getRpcClient(transport, new Target({ topic: 't' })).call({}, 'go')).toBe(1)
  })

  it('T18 get_notification_transport - a transport for notifications', async () => {
    await using transport = await getNotificationTransport(await loadConfig(), { url: `memory://${unique()}` })
    expect(transport).toBeInstanceOf(NotificationTransport)
    expect(transport.kind).toBe('notification')
  })

  it('T19 get_transport - is get_rpc_transport, with a warning', async () => {
    const log = createLog()
    await using transport = await getTransport(await loadConfig(), { url: 'memory://', logger: log })
    expect(transport).toBeInstanceOf(RPCTransport)
    expect(log.lines).toMatchObject([{ level: 'warn', message: expect.stringContaining('deprecated') }])
  })

  it('T20 wrong kind - an RPC client on a notification transport only warns', async () => {
    const log = createLog()
    await using bus = await getNotificationTransport(await loadConfig(), { url: 'memory://', logger: log })
    void getRpcClient(bus, new Target({ topic: 't' }))
    expect(log.lines).toMatchObject([{ level: 'warn', message: expect.stringContaining('getRpcTransport') }])
  })

  it('T21 cleanup - close ends everything; what comes later is refused', async () => {
    const transport = await getRpcTransport(await loadConfig(), { url: `memory://${unique()}` })
    const server = getRpcServer(transport, new Target({ topic: 't', server: 's' }), [{ m() {} }])
    await server.start()
    const client = getRpcClient(transport, new Target({ topic: 't' }))
    expect(transport.health().status).toBe('ok')
    await transport.close()
    await transport.close()
    await server.closed
    expect(transport.health().status).toBe('closed')
    for (const late of [client.call({}, 'go'), client.cast({}, 'go'), server.start()])
      expect(await rejection(late)).toBeInstanceOf(ClosedError)
  })

  it('T22 set_transport_defaults - changes the exchange of targets that name none', async () => {
    const recorder = createRecorder()
    const definition = createMemoryDriver({ recorder }) as DriverDefinition
    const conf = (await loadConfig()).withDefaults({ control_exchange: 'nova' })
    await using transport = await getRpcTransport(conf, { url: 'memory://', registry: only(definition) })
    const client = getRpcClient(transport, new Target({ topic: 't' }), { transportOptions: { atLeastOnce: true } })
    const error = await rejection(client.cast({}, 'go'))
    expect(error).toBeInstanceOf(MessageUndeliverable)
    expect(error).toMatchObject({ exchange: 'nova' })
  })

  it('T23 TransportOptions - at_least_once is off unless it is asked for', async () => {
    await using transport = await getRpcTransport(await loadConfig(), { url: `memory://${unique()}` })
    const target = new Target({ topic: 't' })
    await getRpcClient(transport, target).cast({}, 'go')
    const careful = getRpcClient(transport, target, { transportOptions: { atLeastOnce: true } })
    expect(await rejection(careful.cast({}, 'go'))).toBeInstanceOf(MessageUndeliverable)
  })

  it('T24 send checks - topic for sending, topic and server for a server, topic for a listener', async () => {
    await using transport = await getRpcTransport(await loadConfig(), { url: 'memory://' })
    const deadline = Deadline.after(1000)
    const noTopic = new Target({ server: 's' })
    const send = {
      waitForReply: false,
      deadline,
      expiresInMs: null,
      callMonitorTimeoutMs: null,
      retries: 0,
      atLeastOnce: false,
    }
    const listen = { deadline, prefetch: 1, onMessage: () => {} }
    const message = { message_id: '', publisher_id: null, event_type: '', priority: 'INFO', payload: 1, timestamp: '' }
    for (const refused of [
      busOf(transport).send(noTopic, { context: {}, message: { method: 'm', args: {} } }, send),
      busOf(transport).sendNotification(noTopic, { context: {}, message }, { version: '2.0', deadline, retries: 0 }),
      busOf(transport).listen(noTopic, listen),
      busOf(transport).listen(new Target({ topic: 't' }), listen),
      busOf(transport).listenForNotifications([{ target: noTopic, priority: 'info' }], {
        ...listen,
        pool: null,
        allowRequeue: false,
      }),
    ])
      expect(await rejection(refused)).toBeInstanceOf(InvalidTarget)
  })
})

describe('D2 capabilities - a notify-only driver asked for RPC', () => {
  it('fails when the transport is built, with the hybrid configuration as the remedy', async () => {
    const error = await rejection(
      getRpcTransport(await loadConfig(), { url: 'kafka://h:9092/', registry: only(kafka()) }),
    )
    expect(error).toBeInstanceOf(UnsupportedCapability)
    expect(error).toMatchObject({
      capability: 'rpc',
      message:
        'kafka is notify-only: set [DEFAULT] transport_url to rabbit:// or amqp:// and keep kafka in [oslo_messaging_notifications]',
    })
  })

  it('is fine for notifications, and refused for clients and listeners that want more', async () => {
    await using bus = await getNotificationTransport(await loadConfig(), {
      url: 'kafka://h:9092/',
      registry: only(kafka()),
    })
    expect(thrownBy(() => getRpcClient(bus, new Target({ topic: 't' })))).toBeInstanceOf(UnsupportedCapability)
    expect(() => busOf(bus).require('pools')).not.toThrow()
    expect(thrownBy(() => busOf(bus).require('rpc'))).toMatchObject({ capability: 'rpc' })
  })

  it('a driver without notifications is refused for them', async () => {
    const memory = createMemoryDriver() as DriverDefinition
    const rpcOnly = { ...memory, name: 'rpconly', capabilities: { ...memory.capabilities, notifications: false } }
    const error = await rejection(
      getNotificationTransport(await loadConfig(), { url: 'memory://', registry: only(rpcOnly) }),
    )
    expect(error).toMatchObject({ capability: 'notifications', message: expect.stringContaining('rpconly') })
  })
})

describe('what applications see of a transport', () => {
  it('is its state, its interceptors and its end; the rest stands behind the door for drivers', async () => {
    await using transport = await getRpcTransport({ url: 'memory://' })
    const names = new Set<string>(Object.keys(transport))
    for (let owner: object = transport; owner !== Object.prototype; owner = Object.getPrototypeOf(owner) as object)
      for (const name of Object.getOwnPropertyNames(owner)) names.add(name)
    expect([...names].toSorted()).toEqual([
      'capabilities',
      'clock',
      'close',
      'conf',
      'constructor',
      'driverName',
      'flush',
      'health',
      'kind',
      'load',
      'logger',
      'reload',
      'url',
      'use',
    ])
    expect(Object.getOwnPropertyNames(Object.getPrototypeOf(busOf(transport)))).toContain('listenForNotifications')
  })
})
