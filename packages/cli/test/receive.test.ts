import { getBrokerAdmin, getNotifier, getRpcClient, loadConfig, type Transport } from '@oslo-messaging/core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { jsonLines, memoryNotifications, memoryServer, memoryTransport, onMemory, registry } from './support/memory.ts'
import { sendNotification } from '../src/send-notification.ts'

const URL = 'memory://cli-receive/'
let rpc: Transport
let bus: Transport

beforeAll(async () => {
  rpc = await memoryTransport(URL)
  bus = await memoryNotifications(URL)
})

afterAll(async () => {
  await rpc.close()
  await bus.close()
})

/** Starts a command that goes on until it is told to stop, and waits until it says so. */
async function begin(argv: readonly string[], says: RegExp) {
  const stop = new AbortController()
  let text = ''
  let tell = (): void => {}
  const said = new Promise<void>((resolve) => (tell = resolve))
  const note = (more: string): void => {
    text += more
    if (says.test(text)) tell()
  }
  const ended = onMemory(URL, argv, { signal: stop.signal, err: note })
  await Promise.race([said, ended.then(({ err }) => Promise.reject(new Error(`It ended: ${err}`)))])
  return { ended, stop: () => stop.abort(new Error('Interrupted by SIGINT')) }
}

const notifier = () => getNotifier(bus, { publisherId: 'compute.one', driver: 'messagingv2' })

describe('oslo-msg listen', () => {
  it('shows what comes while it listens, takes it from nobody, and leaves no pool behind', async () => {
    const { ended, stop } = await begin(['listen', 'notifications'], /listening to notifications in|; Ctrl-C ends/)
    await notifier().info({}, 'instance.create', { id: 7 })
    await notifier().error({}, 'instance.fail', 'text\u001b[2J')
    stop()
    const { code, out } = await ended
    expect(code).toBe(0)
    expect(out).toMatch(/^\d\d:\d\d:\d\d {2}info {6}instance\.create {2}compute\.one {2}\{"id":7\}$/m)
    expect(out).toMatch(/error {5}instance\.fail {2}compute\.one {2}"text\\u001b\[2J"$/m)
    // The service's own listeners still get both.
    const taken = await onMemory(URL, ['listen', '--take', '--count', '2', '--json'])
    expect(jsonLines(taken.out).map((line) => line['event_type'])).toEqual(['instance.create', 'instance.fail'])
    const admin = await getBrokerAdmin(await loadConfig(), { url: URL, registry })
    expect(await admin.removePool('oslo-msg-anything')).toBe(false)
    await admin.close()
  })

  it('--event-type, --publisher, --payload and --priority choose; --count ends it', async () => {
    const argv = ['listen', '--event-type', 'instance', '--payload', 'state=act', '--publisher', 'compute']
    const { ended } = await begin([...argv, '--priority', 'INFO', '--count', '1'], /listening/)
    await notifier().info({}, 'volume.create', { state: 'active' })
    await notifier().info({}, 'instance.create', { state: 'building' })
    await notifier().info({}, 'instance.create', 'no fields')
    await notifier().error({}, 'instance.create', { state: 'active' })
    await notifier().info({}, 'instance.create', { state: 'active', id: 'chosen' })
    const { code, out } = await ended
    expect(code).toBe(0)
    expect(out.trimEnd().split('\n')).toEqual([expect.stringContaining('"id":"chosen"')])
  })

  it.each([
    { argv: ['--take', '--pool', 'p'], says: '--take and --pool exclude each other' },
    { argv: ['--priority', 'loud'], says: '--priority is one of audit' },
    { argv: ['--event-type', '('], says: 'eventType' },
    { argv: ['--payload', 'x'], says: '--payload is written name=value' },
    { argv: ['--count', '-1'], says: '--count must be a whole number above 0' },
  ])('$argv - wrong usage, one line', async ({ argv, says }) => {
    const { code, err } = await onMemory(URL, ['listen', ...argv])
    expect(code).toBe(2)
    expect(err).toContain(says)
    expect(err).toMatch(/^[^\n]*\n$/)
  })
})

describe('oslo-msg serve', () => {
  it('echoes whatever is called, says pong, and finishes what is under way when it is stopped', async () => {
    const { ended, stop } = await begin(['serve', 'toys', '--server', 'me', '--delay', '0.2'], /serving toys as me/)
    const client = getRpcClient(rpc, { topic: 'toys' })
    const reply = client.call({}, 'build', { n: 1 })
    await new Promise((resolve) => setTimeout(resolve, 50))
    stop()
    expect(await reply).toEqual({ method: 'build', args: { n: 1 }, server: 'me' })
    const { code, out, err } = await ended
    expect({ code, out }).toEqual({ code: 0, out: 'call build {"n":1}\n' })
    expect(err).toContain('served 1 request\n')
  })

  it.each([
    { argv: ['--fail', 'broken', '--fail-class', 'KeyError'], says: 'the method raised KeyError: broken' },
    { argv: ['--random', '1'], says: 'the method raised RuntimeError: oslo-msg serve was told to fail' },
    { argv: ['--answers', 'ANSWERS'], says: 'the method raised NoSuchMethod' },
  ])('$argv - fails as it is told', async ({ argv, says }) => {
    const { writeFileSync, mkdtempSync } = await import('node:fs')
    const file = `${mkdtempSync('/tmp/cli-answers-')}/answers.json`
    writeFileSync(file, '{"known": [1, 2]}')
    const topic = `toys-${argv[0]}`
    const words = argv.map((word) => (word === 'ANSWERS' ? file : word))
    const { ended, stop } = await begin(['serve', topic, ...words], /serving/)
    const { code, err } = await onMemory(URL, ['call', topic, 'build'])
    expect(code).toBe(3)
    expect(err).toContain(says)
    if (words.includes(file)) expect((await onMemory(URL, ['call', topic, 'known', '--json'])).out).toContain('[1,2]')
    stop()
    expect(await ended).toMatchObject({ code: 0 })
  })

  it.each([
    { argv: ['t', '--fail', 'a', '--random', '0.5'], says: 'exclude each other' },
    { argv: ['t', '--random', '2'], says: '--random is a part from 0 to 1' },
    { argv: ['t', '--answers', '/nonexistent'], says: 'cannot be read (ENOENT)' },
    { argv: [], says: "missing required argument 'topic'" },
  ])('$argv - wrong usage', async ({ argv, says }) => {
    const { code, err } = await onMemory(URL, ['serve', ...argv])
    expect(code).toBe(2)
    expect(err).toContain(says)
  })
})

describe('oslo-msg ping', () => {
  it('finds every server of a topic, with the time of each; a server without the ping endpoint is alive as well', async () => {
    for (const server of ['one', 'two', 'three']) await memoryServer(rpc, 'fleet', server, { work: () => 1 })
    const { code, out } = await onMemory(URL, ['ping', 'fleet', '--wait', '0.2'])
    expect(code).toBe(0)
    expect(out).toMatch(/^1 +\d+\.\d ms {2}alive, rpc_ping_enabled is off$/m)
    expect(out).toMatch(/3 servers of fleet answered\n$/)
  })

  it('--server - by name; one that does not answer is named, exit code 3', async () => {
    const argv = ['ping', 'fleet', '--server', 'one', '--server', 'gone', '--wait', '0.1', '--json']
    const { code, out } = await onMemory(URL, argv)
    expect(code).toBe(3)
    expect(jsonLines(out)).toMatchObject([
      { server: 'one', says: 'alive, rpc_ping_enabled is off' },
      { server: 'gone', ms: null },
    ])
  })

  it('nobody there - says so, exit code 3', async () => {
    const { code, out } = await onMemory(URL, ['ping', 'desert', '--wait', '0.1'])
    expect(code).toBe(3)
    expect(out).toBe(
      'No server of desert answered within 0.1 s: none is up, or the exchange is another one (--exchange)\n',
    )
  })
})

describe('oslo-messaging-send-notification', () => {
  const send = async (argv: readonly string[]) => {
    let [out, err] = ['', '']
    const code = await sendNotification(argv, { registry, out: (text) => (out += text), err: (text) => (err += text) })
    return { code, out, err }
  }

  it('O1 - sends the one word as text, with its own defaults', async () => {
    const { ended } = await begin(['listen', 'manual', '--count', '1', '--json'], /listening/)
    expect(await send(['{"a": 1}', '--transport-url', URL, '--topic', 'manual'])).toEqual({ code: 0, out: '', err: '' })
    expect(jsonLines((await ended).out)).toMatchObject([
      { priority: 'info', event_type: 'test', publisher_id: null, payload: '{"a": 1}' },
    ])
  })

  it.each([
    { argv: ['--priority', 'loud', 'x'], code: 2, says: 'Allowed choices are info, audit' },
    { argv: [], code: 2, says: "missing required argument 'payload'" },
    { argv: ['x', '--transport-url', 'nats://h/'], code: 1, says: 'No driver serves the scheme nats' },
  ])('$argv - one line', async ({ argv, code, says }) => {
    const ended = await send(argv)
    expect(ended.code).toBe(code)
    expect(ended.err).toContain(says)
  })
})
