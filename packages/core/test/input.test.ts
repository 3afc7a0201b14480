import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import * as core from '../src/index.ts'
import { createMemoryDriver, createRecorder } from '../src/testing.ts'

/** What callers without a compiler give, and compilers cannot see. Every row must name what is wrong, and nothing may
 *  have been sent. */
type Loose = (...input: unknown[]) => unknown

const recorder = createRecorder()
const registry = core.createDriverRegistry({ drivers: [createMemoryDriver({ recorder })] })
const endpoint = { info() {} }
let transport: core.RPCTransport
let bus: core.NotificationTransport
let conf: core.MessagingConfig

beforeAll(async () => {
  conf = await core.loadConfig({ overrides: { DEFAULT: { transport_url: 'memory://' } } })
  transport = await core.getRpcTransport(conf, { registry })
  bus = await core.getNotificationTransport(conf, { registry })
})
afterAll(async () => {
  await Promise.all([transport.close(), bus.close()])
  expect(recorder.calls()).toEqual([])
})

const everything: Readonly<Record<string, unknown>> = core
const loose = (name: string): Loose => everything[name] as Loose
const target = (fields: object = {}): core.Target => new core.Target({ topic: 't', server: 's', ...fields })
const client = (options?: unknown): unknown => loose('getRpcClient')(transport, target({ server: null }), options)
const call = (...input: readonly unknown[]): unknown => {
  const made = client() as { call: Loose }
  return made.call(...input)
}
const prepare = (...input: readonly unknown[]): unknown => (client() as { prepare: Loose }).prepare(...input)
const server = (endpoints: unknown, options?: unknown): unknown =>
  loose('getRpcServer')(transport, target(), endpoints, options)
const notifier = (options: object, given: unknown = bus): core.Notifier => {
  const Notifier = everything['Notifier'] as new (transport: unknown, options: object) => core.Notifier
  return new Notifier(given, { driver: 'messaging', ...options })
}
const inform = (...input: readonly unknown[]): unknown => {
  const made: unknown = notifier({})
  return (made as { info: Loose }).info(...input)
}
const listener = (targets: unknown, endpoints: unknown = [endpoint], options: unknown = {}, given: unknown = bus) =>
  loose('getNotificationListener')(given, targets, endpoints, options)
const batchListener = (options: unknown): unknown =>
  loose('getBatchNotificationListener')(bus, [target()], [{ info() {} }], options)
const filter = (rules: unknown): unknown =>
  new (everything['NotificationFilter'] as new (rules: unknown) => unknown)(rules)

async function failureOf(run: () => unknown): Promise<unknown> {
  try {
    await run()
  } catch (error) {
    return error
  }
  return undefined
}

describe('bad input names what is wrong', () => {
  it.each<[string, () => unknown, RegExp]>([
    ['loadConfig of a text', () => loose('loadConfig')('service.conf'), /loadConfig .*object.*text/],
    ['loadConfig of null', () => loose('loadConfig')(null), /loadConfig/],
    ['files that are no names', () => loose('loadConfig')({ files: [null] }), /files must hold names/],
    ['files that are a number', () => loose('loadConfig')({ files: 7 }), /files must be a list/],
    ['argv in one text', () => loose('loadConfig')({ argv: '--DEFAULT.x=1' }), /argv must be a list/],
    [
      'an override group that is no group',
      () => loose('loadConfig')({ overrides: { DEFAULT: 'x' } }),
      /overrides.DEFAULT/,
    ],
    [
      'a registry from a list',
      () => loose('createDriverRegistry')([createMemoryDriver()]),
      /drivers: \[rabbitDriver\]/,
    ],
    ['a URL where options go', () => loose('getRpcTransport')(conf, 'rabbit://h'), /options in an object.*text/],
    ['a list as registry', () => loose('getRpcTransport')(conf, { registry: [createMemoryDriver()] }), /registry/],
    ['a logger without methods', () => loose('getRpcTransport')(conf, { logger: {} }), /logger .* debug/],
    [
      'one module as text',
      () => loose('getRpcTransport')(conf, { allowedRemoteExmods: 'nova' }),
      /allowedRemoteExmods/,
    ],
    ['a configuration not awaited', () => loose('getRpcTransport')(core.loadConfig()), /loadConfig\(\)/],
    ['a patience in words', () => transport.close({ timeoutMs: 'x' as unknown as number }), /timeoutMs/],
    ['a transport not awaited', () => loose('getRpcClient')(Promise.resolve(transport), target()), /await it first/],
    [
      'a server without transport',
      () => loose('getRpcServer')(conf, target(), [{ m() {} }]),
      /RPC server needs the transport/,
    ],
    ['client options in a text', () => client('x'), /RPC client .*options/],
    ['a serializer without methods', () => client({ serializer: {} }), /serializer .* serializeEntity/],
    ['transport options in a text', () => client({ transportOptions: 'atLeastOnce' }), /transportOptions/],
    ['call options in a text', () => call({}, 'm', {}, 'x'), /m takes its options/],
    ['a signal that is none', () => call({}, 'm', {}, { signal: {} }), /signal must be an AbortSignal/],
    ['arguments in a map', () => call({}, 'm', new Map([['a', 1]])), /Arguments of m go by name/],
    ['a date as arguments', () => call({}, 'm', new Date(0)), /Arguments of m go by name/],
    ['prepare of nothing', () => prepare(), /prepare takes what changes/],
    ['server options in a text', () => server([{ m() {} }], 'x'), /RPC server .*options/],
    ['a server serializer', () => server([{ m() {} }], { serializer: 'json' }), /serializer/],
    [
      'a class as endpoint',
      () =>
        server([
          class Compute {
            boot() {}
          },
        ]),
      /Compute offers no method: .*give new Compute\(\)/,
    ],
    [
      'D2 an endpoint of version x',
      () => server([{ target: new core.Target({ version: 'x' }), m() {} }]),
      /version of endpoint.*x/,
    ],
    [
      'a start that may take -1 ms',
      () => (server([{ m() {} }]) as core.RPCServer).start({ timeoutMs: -1 }),
      /timeoutMs/,
    ],
    ['a notifier without transport', () => notifier({}, conf), /notifier needs the transport/],
    ['a notification driver by number', () => notifier({ driver: 7 }), /driver must be a list/],
    ['topics in one text', () => notifier({ topics: 'notifications' }), /topics must be a list/],
    ['an empty topic', () => notifier({ topics: [''] }), /topics must hold names.*empty/],
    ['an unknown onError', () => notifier({ onError: 'throw' }), /onError must be one of reject, log/],
    ['an unknown redaction', () => notifier({ contextRedaction: 'all' }), /contextRedaction must be one of/],
    ['a notifier timeout in words', () => notifier({ timeoutMs: '5' }), /timeoutMs/],
    ['a publisher by number', () => notifier({ publisherId: 7 }), /publisherId/],
    ['an event type by number', () => inform({}, 7, {}), /eventType/],
    ['a context in words', () => inform('x', 'e', {}), /context must be an object/],
    ['a context in a list', () => inform([], 'e', {}), /context must be an object/],
    ['notify options in a text', () => inform({}, 'e', {}, 'x'), /options/],
    ['a notify signal', () => inform({}, 'e', {}, { signal: 7 }), /signal/],
    ['one target for a listener', () => listener(target()), /targets of a notification listener must be a list/],
    ['no target for a listener', () => listener([]), /at least one target/],
    ['a topic for a target', () => listener(['t']), /listener needs a target such as/],
    ['one endpoint for a listener', () => listener([target()], endpoint), /endpoints of a notification listener/],
    ['a pool by number', () => listener([target()], [endpoint], { pool: 7 }), /pool must be a name/],
    ['an empty pool', () => listener([target()], [endpoint], { pool: '' }), /pool must be a name.*empty/],
    ['allowRequeue in words', () => listener([target()], [endpoint], { allowRequeue: 'no' }), /allowRequeue/],
    ['a listener without transport', () => listener([target()], [endpoint], {}, conf), /needs the transport/],
    ["a rule by Python's name", () => filter({ publisher_id: 'x' }), /publisherId.*"publisher_id"/],
    ['a rule by number', () => filter({ publisherId: 7 }), /filter rule publisherId/],
    ['fields in a text', () => filter({ payload: 'x' }), /filter rule payload/],
    ['a context in a map', () => call(new Map([['a', 1]]), 'm'), /context must be an object/],
    ['no method', () => call({}, null), /method must be a name, not null/],
    ['drivers in a text', () => notifier({ drivers: 'messagingv2' }), /drivers takes its options in an object/],
    ['a driver that is no function', () => notifier({ driver: 'own', drivers: { own: {} } }), /drivers.own .*function/],
    ['a driver that cannot notify', () => notifier({ driver: 'own', drivers: { own: () => ({}) } }), /method notify/],
    [
      'a driver made later',
      () => notifier({ driver: 'own', drivers: { own: () => Promise.resolve({}) } }),
      /drivers.own must give, at once.*promise/,
    ],
    [
      'a header whose name AMQP cannot write',
      () => call({}, 'm', {}, { headers: { ['ü'.repeat(128)]: 'v' } }),
      /headers\["ü+\.\.\."\] has a name of more than 255 bytes/,
    ],
    // Options under another name, mostly Python's.
    ['loadConfig of a file', () => loose('loadConfig')({ file: 'x.conf' }), /no option file; did you mean files/],
    ['a registry of a driver', () => loose('createDriverRegistry')({ driver: [] }), /no option driver; .*drivers/],
    ['a transport to a uri', () => loose('getRpcTransport')(conf, { uri: 'memory://' }), /no option uri; .*url/],
    ['a client timeout', () => client({ timeout: 5 }), /client has no option timeout; did you mean timeoutMs/],
    ['a version_cap', () => client({ version_cap: '1.0' }), /version_cap; did you mean versionCap/],
    ['at_least_once', () => client({ transportOptions: { at_least_once: true } }), /did you mean atLeastOnce/],
    ['prepared at_least_once', () => prepare({ transportOptions: { at_least_once: true } }), /mean atLeastOnce/],
    ['a call timeout', () => call({}, 'm', {}, { timeout: 5 }), /m has no option timeout; did you mean timeoutMs/],
    [
      'an access_policy',
      () => server([{ m() {} }], { access_policy: core.ExplicitRPCAccessPolicy }),
      /mean accessPolicy/,
    ],
    ['a start timeout', () => (server([{ m() {} }]) as { start: Loose }).start({ timeout: 5 }), /start .* timeoutMs/],
    ['a stop timeout', () => (server([{ m() {} }]) as { stop: Loose }).stop({ timeout: 5 }), /stop .* timeoutMs/],
    ['a wait timeout', () => (server([{ m() {} }]) as { wait: Loose }).wait({ timeout: 5 }), /wait .* timeoutMs/],
    ['a close timeout', () => (transport as unknown as { close: Loose }).close({ timeout: 5 }), /close .* timeoutMs/],
    ['a publisher_id', () => notifier({ publisher_id: 'x' }), /notifier has no option publisher_id; .*publisherId/],
    ['a notify timeout', () => inform({}, 'e', {}, { timeout: 5 }), /notification has no option timeout/],
    ['allow_requeue', () => listener([target()], [endpoint], { allow_requeue: true }), /did you mean allowRequeue/],
    ['a batch_size', () => batchListener({ batch_size: 5 }), /did you mean batchSize/],
    ['an option that resembles none', () => client({ colour: 'red' }), /no option colour: timeoutMs, .* are known/],
  ])('%s', async (_, run, message) => {
    const error = await failureOf(run)
    expect(error).toBeInstanceOf(TypeError)
    expect((error as Error).message).toMatch(message)
  })

  it('a subclass of the client or the server may have options of its own', () => {
    class Client extends core.RPCClient {}
    class Server extends core.RPCServer {}
    const own = { clientClass: Client, serverClass: Server, colour: 'red' }
    expect(client(own)).toBeInstanceOf(Client)
    expect(server([{ m() {} }], own)).toBeInstanceOf(Server)
  })

  it.each([
    [{ topic: 7 }, /topic of a target must be text/],
    [{ exchange: {} }, /exchange of a target must be text/],
    [{ fanout: 'yes' }, /fanout of a target must be true or false/],
    [{ legacyNamespaces: 'abc' }, /legacyNamespaces/],
    [{ topik: 't' }, /topik is no field of a target.*topic/],
    ['compute', /fields such as.*text/],
    [null, /null/],
  ])('target of %j', async (fields, message) => {
    const make = (): core.Target => new core.Target(fields as core.TargetFields)
    const error = await failureOf(make)
    expect(error).toBeInstanceOf(core.InvalidTarget)
    expect((error as Error).message).toMatch(message)
  })

  it('target - a copy by spreading, and a change that is none', () => {
    expect(new core.Target(Object.assign({}, target({ version: '1.0' }))).equals(target({ version: '1.0' }))).toBe(true)
    expect(() => prepare({ timout: 5 })).toThrow(/prepare has no option timout: .*timeoutMs/)
  })

  it.each([
    ['memory://u:secret@h:65536/', /port 65536 of host 1 of 1.*65535/],
    ['memory://u:secret@h:0/', /port 0 of host 1 of 1/],
    ['memory://u:secret@a b/', /host 1 of 1: blanks/],
  ])('%s', async (url, message) => {
    const error = await failureOf(() => core.getRpcTransport(conf, { url, registry }))
    expect(error).toBeInstanceOf(core.InvalidTransportURL)
    expect((error as Error).message).toMatch(message)
    expect(JSON.stringify(error) + String((error as Error).stack)).not.toContain('secret')
  })
})
