import { writeFile } from 'node:fs/promises'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import {
  createDriverRegistry,
  type DriverDefinition,
  getMessaging,
  loadConfig,
  type MessagingOptions,
} from '@oslo-messaging/core'
import { createMemoryBroker, createMemoryDriver } from '@oslo-messaging/core/testing'
import { afterEach, describe, expect, it } from 'vitest'

const NOTIFY = { oslo_messaging_notifications: { driver: ['messagingv2'], topics: ['events'] } }
const open: AsyncDisposable[] = []
afterEach(async () => {
  for (const each of open.splice(0)) await each[Symbol.asyncDispose]()
})

/** Both buses on one broker in process. */
async function made(options: MessagingOptions = {}) {
  const registry = createDriverRegistry({ drivers: [createMemoryDriver({ broker: createMemoryBroker() })] })
  const messaging = await getMessaging({ url: 'memory://', registry, overrides: NOTIFY, ...options })
  open.push(messaging)
  return messaging
}

/** A promise and what settles it. */
function gate(): { readonly opened: Promise<void>; open(): void } {
  let open: () => void = () => {}
  const opened = new Promise<void>((resolve) => (open = resolve))
  return { opened, open: () => open() }
}

describe('one object for a hybrid service', () => {
  it('serves, calls, notifies and listens, and starts everything together', async () => {
    const messaging = await made()
    const heard: string[] = []
    const done = gate()
    messaging.server({ topic: 't', server: 's' }, { ping: () => 'pong' })
    messaging.listener(
      [{ topic: 'events' }],
      [
        {
          info(_context, _publisherId, eventType) {
            heard.push(eventType ?? '')
            done.open()
          },
        },
      ],
    )
    expect(messaging.health()).toMatchObject({ ready: false, reason: 'it was not started' })
    await messaging.start()
    await messaging.ready({ timeoutMs: 5000 })
    expect(await messaging.client({ topic: 't' }).call({}, 'ping')).toBe('pong')
    await messaging.notifier().info({}, 'happened', {})
    await done.opened
    expect(heard).toEqual(['happened'])
    expect(messaging.health()).toMatchObject({ ready: true, status: 'ok' })
    const report = await messaging.drain()
    expect(report).toMatchObject({ abandoned: 0, servers: [], unsent: 0 })
    expect(messaging.health()).toMatchObject({ ready: false, status: 'closed' })
    await expect(messaging.start()).rejects.toMatchObject({ code: 'OSLO_MESSAGING_CLOSED' })
  })

  it('reads both buses from files, and leaves nothing open when one of them cannot be', async () => {
    const conf = await loadConfig({ overrides: { oslo_messaging_notifications: { transport_url: 'nosuch://' } } })
    await expect(getMessaging({ config: conf, url: 'memory://' })).rejects.toMatchObject({
      code: 'OSLO_MESSAGING_DRIVER_LOAD',
    })
    await expect(getMessaging({ config: conf, env: {} })).rejects.toThrow('config or env, not both')
    await expect(getMessaging({ rpc: false, notifications: false })).rejects.toThrow('needs RPC, notifications or both')
    const only = await made({ notifications: false })
    expect(() => only.notifier()).toThrow('{ notifications: false }')
  })

  it('a handler that is being drained may still call and notify over the other bus', async () => {
    const messaging = await made()
    const [begun, heard] = [gate(), gate()]
    messaging.server({ topic: 't', server: 's' }, { ping: () => 'pong' })
    const notifier = messaging.notifier()
    const client = messaging.client({ topic: 'slow' })
    let outcome = ''
    messaging.server(
      { topic: 'slow', server: 's' },
      {
        async work(context: object) {
          begun.open()
          await heard.opened
          await notifier.info(context, 'done', {})
          outcome = 'notified'
          return outcome
        },
      },
    )
    await messaging.start()
    const reply = client.call({}, 'work')
    await begun.opened
    const drained = messaging.drain()
    expect(messaging.health()).toMatchObject({ ready: false, status: 'draining', reason: 'it is being drained' })
    heard.open()
    expect(await reply).toBe('notified')
    expect(await drained).toMatchObject({ abandoned: 0, unsent: 0 })
  })

  it('says what it abandoned, by server, when the patience ends', async () => {
    const messaging = await made()
    const [begun, never] = [gate(), gate()]
    messaging.server({ topic: 't', server: 's' }, { hang: async () => (begun.open(), await never.opened) })
    await messaging.start()
    const call = messaging.client({ topic: 't' }).call({}, 'hang')
    call.catch(() => {})
    await begun.opened
    const report = await messaging.drain({ timeoutMs: 50 })
    expect(report).toMatchObject({ abandoned: 1, unsent: 1 })
    expect(report.servers).toEqual([{ name: expect.stringContaining('topic'), abandoned: 1 }])
    await expect(call).rejects.toMatchObject({ code: 'OSLO_MESSAGING_CLOSED' })
    never.open()
  })

  it('ready says what is not up, and gives up when it is drained', async () => {
    const messaging = await made()
    messaging.server({ topic: 't', server: 's' }, { ping: () => 'pong' })
    await expect(messaging.ready({ timeoutMs: 20 })).rejects.toMatchObject({
      code: 'OSLO_MESSAGING_TASK_TIMEOUT',
      message: 'It was not ready within 20 ms: it was not started',
    })
    const waiting = messaging.ready()
    waiting.catch(() => {})
    await messaging.drain()
    await expect(waiting).rejects.toMatchObject({ code: 'OSLO_MESSAGING_CLOSED' })
  })
})

describe('reload', () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'oslo-messaging-reload-'))
  const file = path.join(folder, 'service.conf')
  afterEach(() => rmSync(file, { force: true }))

  const write = async (lines: string): Promise<void> =>
    await writeFile(file, `[DEFAULT]\n${lines}\n[oslo_messaging_notifications]\ndriver = noop\n`)

  it('changes time limits and workers while requests are handled, and names what waits for a restart', async () => {
    await write('transport_url = memory://\nexecutor_thread_pool_size = 1\nrpc_response_timeout = 30')
    const messaging = await made({ url: undefined, overrides: undefined, configFiles: file })
    const [release, two] = [gate(), gate()]
    let running = 0
    const server = messaging.server(
      { topic: 't', server: 's' },
      {
        async work() {
          running += 1
          if (running === 3) two.open()
          await release.opened
          return 'done'
        },
      },
    )
    await messaging.start()
    expect(server.load).toMatchObject({ workers: 1, running: 0 })
    const client = messaging.client({ topic: 't' })
    const first = client.call({}, 'work')
    await expect.poll(() => server.load.running).toBe(1)
    await write(
      'transport_url = memory://\nexecutor_thread_pool_size = 2\nrpc_response_timeout = 0\ncontrol_exchange = other',
    )
    const closed = server.closed
    expect(await messaging.reload()).toEqual({
      applied: ['[DEFAULT] executor_thread_pool_size', '[DEFAULT] rpc_response_timeout'],
      needsRestart: ['[DEFAULT] control_exchange'],
    })
    // The limit of 0 s concerns calls that say nothing themselves.
    await expect(client.call({}, 'work')).rejects.toMatchObject({ code: 'OSLO_MESSAGING_TIMEOUT' })
    const more = [1, 2].map(() => client.call({}, 'work', {}, { timeoutMs: 10_000 }))
    await two.opened
    expect(server.load).toMatchObject({ workers: 2 })
    expect(await Promise.race([closed.then(() => 'closed'), Promise.resolve('open')])).toBe('open')
    release.open()
    expect(await Promise.all([first, ...more])).toEqual(['done', 'done', 'done'])
    expect(await messaging.reload()).toEqual({ applied: [], needsRestart: [] })
    expect(await messaging.drain()).toMatchObject({ abandoned: 0 })
    await closed
  })

  it('goes over to other hosts without missing a request', async () => {
    await write('transport_url = memory://one/')
    const messaging = await made({ url: undefined, overrides: undefined, configFiles: file })
    let count = 0
    messaging.server({ topic: 't', server: 's' }, { work: () => (count += 1) })
    await messaging.start()
    const client = messaging.client({ topic: 't' })
    const ended = new AbortController()
    const calls: Promise<unknown>[] = []
    const load = (async () => {
      while (!ended.signal.aborted) {
        calls.push(client.call({}, 'work', {}, { timeoutMs: 10_000 }))
        await new Promise((resolve) => setImmediate(resolve))
      }
    })()
    await write('transport_url = memory://two/')
    const report = await messaging.reload()
    ended.abort()
    await load
    expect(report).toEqual({ applied: ['rpc: hosts', 'notification: hosts'], needsRestart: [] })
    const results = await Promise.all(calls)
    expect(count).toBe(results.length)
    expect(messaging.rpc.url.redacted).toContain('two')
    expect(await client.call({}, 'work')).toBe(count)
  })

  it('takes any number of milliseconds, also a broken one, and closes what it replaces', async () => {
    const driver: DriverDefinition = createMemoryDriver({ broker: createMemoryBroker() })
    const closed: string[] = []
    const observed: DriverDefinition = {
      ...driver,
      open: async (url, context) => {
        const real = await driver.open(url, context)
        const close = real.close.bind(real)
        real.close = async () => {
          closed.push(url.redacted)
          await close()
        }
        return real
      },
    }
    const registry = createDriverRegistry({ drivers: [observed] })
    const messaging = await made({ registry, notifications: false, overrides: {} })
    messaging.server({ topic: 't', server: 's' }, { ping: () => 'pong' })
    await messaging.start()
    await messaging.reload(undefined, { reconnect: true, timeoutMs: 1500.5 })
    expect(closed).toHaveLength(1)
    await messaging.reload(undefined, { reconnect: true, timeoutMs: 1e10 })
    expect(closed).toHaveLength(2)
    expect(await messaging.client({ topic: 't' }).call({}, 'ping')).toBe('pong')
  })

  it('another driver waits for a restart, and a configuration that is wrong changes nothing', async () => {
    await write('transport_url = memory://')
    const driver = createMemoryDriver({ broker: createMemoryBroker() })
    const drivers = [driver, { ...driver, name: 'other', schemes: ['other'] }]
    const registry = createDriverRegistry({ drivers })
    const messaging = await made({ url: undefined, overrides: undefined, configFiles: file, registry })
    messaging.server({ topic: 't', server: 's' }, { ping: () => 'pong' })
    await messaging.start()
    const ping = async () => await messaging.client({ topic: 't' }).call({}, 'ping')
    await write('transport_url = other://')
    expect(await messaging.reload()).toEqual({
      applied: [],
      needsRestart: ['rpc: the driver memory, now other', 'notification: the driver memory, now other'],
    })
    expect(await ping()).toBe('pong')
    await write('transport_url = memory://\nrpc_response_timeout = soon')
    await expect(messaging.reload()).rejects.toMatchObject({ code: 'OSLO_MESSAGING_CONFIGURATION' })
    expect(await ping()).toBe('pong')
  })

  it('a server that cannot subscribe anew keeps what it has', async () => {
    const broker = createMemoryBroker()
    const driver: DriverDefinition = createMemoryDriver({ broker })
    let opened = 0
    const registry = createDriverRegistry({
      drivers: [
        {
          ...driver,
          open: async (url, context) => {
            const real = await driver.open(url, context)
            opened += 1
            return opened === 1
              ? real
              : Object.assign(Object.create(real) as typeof real, {
                  listen: async () => await Promise.reject(new Error('the password is wrong')),
                  close: async () => await real.close(),
                })
          },
        },
      ],
    })
    const messaging = await made({ registry, notifications: false, overrides: {} })
    messaging.server({ topic: 't', server: 's' }, { ping: () => 'pong' })
    await messaging.start()
    await expect(messaging.reload(undefined, { reconnect: true })).rejects.toMatchObject({
      code: 'OSLO_MESSAGING_LISTEN',
      message: expect.stringContaining('the password is wrong'),
    })
    expect(await messaging.client({ topic: 't' }).call({}, 'ping')).toBe('pong')
    expect(messaging.health()).toMatchObject({ ready: true })
  })
})
