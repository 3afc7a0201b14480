import { describe, expect, it } from 'vitest'
import {
  consoleLogger,
  getNotificationListener,
  getNotificationTransport,
  getRpcServer,
  getRpcTransport,
  loadConfig,
  Notifier,
  openBrokerAdmin,
  TransportHost,
  TransportURL,
} from '../src/index.ts'
import { createFaults, createManualClock, createMemoryDriver, createRecorder } from '../src/testing.ts'
import { createScene, rejection, thrownBy } from './rpc/scene.ts'

/** What callers without a compiler give. */
const wrong = (value: object): never => value as never

describe('an option that is misspelt is never silently the default', () => {
  it('of notifier.prepare', async () => {
    const bus = await getNotificationTransport(await loadConfig(), { url: 'memory://' })
    const notifier = new Notifier(bus, { driver: 'noop' })
    expect(thrownBy(() => notifier.prepare(wrong({ publisher_id: 'x' })))).toMatchObject({
      name: 'TypeError',
      message: 'prepare has no option publisher_id; did you mean publisherId?',
    })
    await bus.close()
  })

  it('of prepare of a client, which is told of the option that is meant, and not of fields of a target', async () => {
    await using scene = await createScene()
    expect(thrownBy(() => scene.client().prepare(wrong({ timeout: 1 })))).toMatchObject({
      message: 'prepare has no option timeout; did you mean timeoutMs?',
    })
  })

  it('of redrive, where dry_run would have moved the letters, and of queues', async () => {
    const moved: unknown[] = []
    const definition = {
      ...createMemoryDriver(),
      administer: () => ({
        redrive: async (request: object) => (moved.push(request), { moved: 1, left: 0, skipped: [] }),
        queues: async () => [],
        close: async () => {},
      }),
    }
    const admin = await openBrokerAdmin(await loadConfig(), {
      url: 'memory://',
      registry: { resolve: async () => definition },
    })
    expect(await rejection(admin.redrive('q', wrong({ dry_run: true })))).toMatchObject({
      message: 'redrive has no option dry_run; did you mean dryRun?',
    })
    expect(await rejection(admin.queues(wrong({ managment: 'x' })))).toMatchObject({
      message: 'queues has no option managment; did you mean management?',
    })
    expect(moved).toEqual([])
    const asked = openBrokerAdmin(await loadConfig(), wrong({ url: 'memory://', sektion: 'default' }))
    expect(await rejection(asked)).toMatchObject({ message: expect.stringContaining('did you mean section?') })
  })

  it('of a transport URL and its hosts, of the in-process driver, and of consoleLogger', () => {
    const message = (run: () => unknown): string => (thrownBy(run) as Error).message
    expect(message(() => new TransportURL(wrong({ transport: 'rabbit', virtual_host: 'v' })))).toBe(
      'A transport URL has no option virtual_host; did you mean virtualHost?',
    )
    expect(message(() => new TransportHost(wrong({ host: 'h' })))).toMatch(/^A host has no option host; did you mean/)
    expect(message(() => createMemoryDriver(wrong({ recoder: {} })))).toMatch(
      /no option recoder; did you mean recorder/,
    )
    expect(message(() => consoleLogger(wrong({ lvel: 'debug' })))).toMatch(/no option lvel; did you mean level/)
  })
})

describe('a lever of a test that is misspelt does not let the test pass', () => {
  const message = (run: () => unknown): string => (thrownBy(run) as Error).message

  it('a fault', () => {
    const faults = createFaults()
    expect(message(() => faults.dropReply(wrong({ evry: true })))).toMatch(/no option evry; did you mean every/)
    expect(message(() => faults.dropDelivery({ nth: 0 }))).toBe(
      'nth of a fault must be a whole number, 1 or more, not 0',
    )
    expect(message(() => faults.delayReply(wrong(['5'])))).toMatch(/^delayMs must be a number of milliseconds/)
    expect(message(() => faults.refusePublish(wrong({ kind: 'call' })))).toMatch(/must be one of request, notification/)
    expect(message(() => faults.disconnect(wrong({ looseReplies: true })))).toMatch(/did you mean loseReplies/)
  })

  it('a filter of a recorder, which would fit everything', async () => {
    const recorder = createRecorder()
    expect(message(() => recorder.calls(wrong({ methd: 'x' })))).toMatch(/no option methd; did you mean method/)
    expect(message(() => recorder.notifications(wrong({ event_type: 'x' })))).toMatch(/did you mean eventType/)
    expect(message(() => createRecorder(wrong({ clok: {} })))).toMatch(/did you mean clock/)
    expect(await rejection(recorder.waitFor(() => true, wrong({ timeoutMs: 5 })))).toMatchObject({
      message: expect.stringMatching(/^The deadline of waitFor, such as Deadline.after\(1000\), must have/) as string,
    })
  })

  it('a clock', async () => {
    const clock = createManualClock()
    expect(message(() => clock.advance(-1))).toBe('advance takes a number of milliseconds, 0 or more, not -1')
    expect(message(() => clock.advance(wrong(['5'])))).toMatch(/not a list$/)
    expect(message(() => createManualClock(wrong({ walltime: 5 })))).toMatch(/did you mean wallTime/)
    const opening = getRpcTransport({ url: 'memory://', clock: wrong({}) })
    expect(await rejection(opening)).toMatchObject({ message: expect.stringMatching(/^clock must have/) as string })
  })
})

it('workers that are no number are refused in words that fit, by a server and by a listener', async () => {
  await using scene = await createScene()
  const bus = await getNotificationTransport({ url: 'memory://' })
  const text = 'A worker pool needs a whole number of workers, at least 1, not text'
  const options = wrong({ workers: '4' })
  const target = { topic: 't', server: 's' }
  expect(thrownBy(() => getRpcServer(scene.transport, target, { go: () => 1 }, options))).toMatchObject({
    message: text,
  })
  const listener = (): unknown => getNotificationListener(bus, [{ topic: 't' }], [{ info: () => undefined }], options)
  expect(thrownBy(listener)).toMatchObject({ message: text })
  await bus.close()
})

it('an endpoint of which every name begins with _ is not told to use expose, which would not help', async () => {
  await using scene = await createScene()
  getRpcServer(scene.transport, { topic: 't', server: 's' }, { _go: () => 1 })
  expect(scene.log.lines).toMatchObject([
    { message: expect.stringMatching(/hides every method .*: _go; names that begin with _ are not for clients/) },
  ])
})

it('arguments by position are refused in words that fit', async () => {
  await using scene = await createScene()
  const client = scene.client() as unknown as { call(...all: unknown[]): Promise<unknown>; cast: never }
  expect(await rejection(client.call({}, 'x', 1, 2))).toMatchObject({
    message: 'Arguments of x go by name, in one object such as { name: value }',
  })
})

it('a monitor timeout that no server can keep is warned about', async () => {
  await using scene = await createScene()
  scene.client({ callMonitorTimeoutMs: 2000 })
  expect(scene.log.lines).toEqual([])
  scene.client({ callMonitorTimeoutMs: 500 }).prepare({ server: 'a' })
  expect(scene.log.lines).toMatchObject([
    { level: 'warn', message: expect.stringMatching(/^callMonitorTimeoutMs 500 .* below 2000/) },
  ])
})

it('the traceback of a method that awaits names its file', async () => {
  await using scene = await createScene()
  const inner = async (): Promise<never> => {
    await Promise.resolve()
    throw new Error('late')
  }
  await scene.serve({ late: async () => await inner() })
  const error = (await rejection(scene.client().call({}, 'late'))) as Error & { cause: { traceback: string[] } }
  const { traceback } = error.cause
  expect(traceback.join('')).toContain('more-input.test.ts')
  expect(traceback.join('')).not.toMatch(/File "async |in async /)
})
