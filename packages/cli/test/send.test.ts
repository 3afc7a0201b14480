import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { getNotificationListener, type Transport } from '@oslo-messaging/core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  jsonLines,
  memoryNotifications,
  memoryServer,
  memoryTransport,
  onMemory,
  type Printed,
} from './support/memory.ts'

const URL = 'memory://cli-send/'
const seen: { readonly server: string; readonly method: string; readonly args: unknown; readonly context: unknown }[] =
  []
const notified: unknown[] = []
let transports: Transport[] = []

const oslo = async (argv: readonly string[], input?: string): Promise<Printed> =>
  await onMemory(URL, argv, input === undefined ? {} : { input })

beforeAll(async () => {
  const rpc = await memoryTransport(URL)
  const bus = await memoryNotifications(URL)
  transports = [rpc, bus]
  for (const server of ['one', 'two']) {
    const note = (method: string) => (context: object, args: unknown) => {
      seen.push({ server, method, args, context })
      return { server, args }
    }
    const refuse = (): never => {
      throw new RangeError('no such flavour\u001b[2J')
    }
    await memoryServer(rpc, 'compute', server, {
      echo: note('echo'),
      log: note('log'),
      refuse,
      big: () => 12345678901234567890n,
    })
  }
  const endpoint = (priority: string) => (context: object, publisher: unknown, event: unknown, payload: unknown) =>
    void notified.push({ priority, context, publisher, event, payload })
  const listener = getNotificationListener(
    bus,
    [{ topic: 'notifications' }, { topic: 'other' }],
    [{ info: endpoint('info'), error: endpoint('error') }],
  )
  await listener.start()
})

afterAll(async () => {
  for (const transport of transports) await transport.close()
})

describe('oslo-msg call', () => {
  it('a call that no queue took - says how to find who is up', async () => {
    const { code, err } = await onMemory('memory://cli-nobody/', ['call', 'flet', 'build', '--timeout', '0.3'])
    expect(code).toBe(1)
    expect(err).toMatch(
      /^oslo-msg: No reply .* no queue took .*: no server has this topic or name; oslo-msg ping flet finds those that are up[^\n]*\n$/,
    )
  })

  it.each([
    {
      argv: ['name=x', 'n:=3', 'list:=[1,null]', 'eq=a=b:=c', 'empty='],
      args: { name: 'x', n: 3, list: [1, null], eq: 'a=b:=c', empty: '' },
    },
    { argv: ['{"deep": {"n": 1}}'], args: { deep: { n: 1 } } },
    { argv: [], args: {} },
  ])('$argv - arguments arrive, the reply is printed as JSON', async ({ argv, args }) => {
    const { code, out, err } = await oslo(['call', 'compute', 'echo', ...argv, '--server', 'two'])
    expect({ code, err }).toEqual({ code: 0, err: '' })
    expect(JSON.parse(out)).toEqual({ server: 'two', args })
  })

  it('context goes along, --json has the time as well, integers of any size stay whole', async () => {
    const { out } = await oslo(['call', 'compute', 'echo', '--context', '{"user": "me"}', '--json'])
    expect(jsonLines(out)).toEqual([{ result: expect.anything() as unknown, ms: expect.any(Number) as unknown }])
    expect(seen.at(-1)).toMatchObject({ context: { user: 'me' } })
    expect((await oslo(['call', 'compute', 'big'])).out).toBe('12345678901234567890\n')
  })

  it('a method that raises - exit code 3, one line; --traceback shows where, and nothing the terminal obeys', async () => {
    const plain = await oslo(['call', 'compute', 'refuse'])
    expect(plain).toMatchObject({ code: 3, out: '' })
    expect(plain.err).toMatch(
      /^oslo-msg: the method raised ValueError: no such flavour\?\[2J \(--traceback shows where\)\n$/,
    )
    const { err } = await oslo(['call', 'compute', 'refuse', '--traceback'])
    expect(err).toMatch(/Traceback|refuse/)
    const { code, out } = await oslo(['call', 'compute', 'refuse', '--json'])
    expect(code).toBe(3)
    expect(jsonLines(out)).toMatchObject([{ error: { kind: 'remote', type: 'ValueError' } }])
  })

  it.each([
    { argv: ['compute', 'nothing'], code: 3, says: 'NoSuchMethod' },
    { argv: ['compute', 'echo', '--version', '7.0'], code: 3, says: 'UnsupportedVersion' },
    { argv: ['compute', 'echo', '--version', 'new'], code: 1, says: 'Version must contain a major and minor integer' },
    { argv: ['nobody', 'echo', '--timeout', '0.05'], code: 1, says: '50 ms' },
    { argv: ['nobody', 'echo', '--at-least-once', '--timeout', '5'], code: 1, says: 'nobody' },
    { argv: ['compute', 'echo', 'word'], code: 2, says: '"word" is none' },
    { argv: ['compute', 'echo', 'a:={'], code: 2, says: '"{" is not JSON' },
    { argv: ['compute', 'echo', 'a=1', 'a=2'], code: 2, says: 'a is given twice' },
    { argv: ['compute', 'echo', '{"a":1}', 'b=2'], code: 2, says: 'not both' },
    { argv: ['compute', 'echo', '--context', '[1]'], code: 2, says: '--context must be a JSON object' },
    { argv: ['compute', 'echo', '--header', 'x'], code: 2, says: '--header is written name=value' },
    { argv: ['compute'], code: 2, says: 'Which method?' },
    { argv: ['compute', ''], code: 2, says: 'needs a name' },
    { argv: ['compute', 'echo', 'a=1', '--from', 'x'], code: 2, says: 'take them off the command line' },
    { argv: ['compute', 'echo', '--from', '/nonexistent/file'], code: 1, says: 'cannot be read (ENOENT)' },
    { argv: ['compute', 'echo', '--config-file', '/nonexistent/file'], code: 1, says: 'cannot be read' },
    { argv: ['compute', 'echo', '--config-dir', '/nonexistent/dir'], code: 1, says: '--config-dir cannot be read' },
  ])('$argv - exit code $code and one line', async ({ argv, code, says }) => {
    const ended = await oslo(['call', ...argv])
    expect(ended.code).toBe(code)
    expect(ended.err).toContain(says)
    expect(ended.err).toMatch(/^oslo-msg: [^\n]*\n$/)
  })

  it('--from - one request for each line, answers in their order, whatever runs at once', async () => {
    const lines = Array.from({ length: 20 }, (_, n) => JSON.stringify({ n })).join('\n\n')
    const { code, out } = await oslo(['call', 'compute', 'echo', '--from', '-', '--concurrency', '7'], lines)
    expect(code).toBe(0)
    expect(jsonLines(out).map(({ result }) => (result as { args: { n: number } }).args.n)).toEqual(
      Array.from({ length: 20 }, (_, n) => n),
    )
  })

  it('--from with a line that fails - says which, how many were done, and that the rest was not sent', async () => {
    const input = '{"method":"echo"}\n{"method":"refuse"}\n{"method":"echo"}\n'
    const stopped = await oslo(['call', 'compute', '--from', '-'], input)
    expect(stopped.code).toBe(1)
    expect(stopped.err).toContain('oslo-msg: line 2: the method raised ValueError')
    expect(stopped.err).toContain('1 line done, 1 failed; the lines after them were not sent (--keep-going sends them)')
    const all = await oslo(['call', 'compute', '--from', '-', '--keep-going'], input)
    expect(all.code).toBe(3)
    expect(jsonLines(all.out)).toHaveLength(3)
    const broken = await oslo(['call', 'compute', '--from', '-'], '{"method":"echo"}\n{oops\n')
    expect(broken).toMatchObject({ code: 1 })
    expect(broken.err).toContain('stdin:2: not valid JSON')
    expect(broken.err).toContain('1 line done, 0 failed; nothing after it was sent')
  })

  it('--config-dir - reads every .conf in it, the last by name wins', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'cli-conf-'))
    writeFileSync(join(folder, '10.conf'), '[DEFAULT]\ntransport_url = memory://elsewhere/\n')
    writeFileSync(join(folder, '20.conf'), `[DEFAULT]\ntransport_url = ${URL}\n`)
    writeFileSync(join(folder, '30.txt'), 'nonsense')
    const argv = ['call', 'compute', 'echo', '--config-dir', folder]
    // The environment would win over files.
    const { code } = await onMemory('', argv, { env: { OS_DEFAULT__TRANSPORT_URL: undefined } })
    expect(code).toBe(0)
  })
})

describe('oslo-msg cast and fanout', () => {
  it('cast reaches one server, fanout every one', async () => {
    seen.length = 0
    const cast = await oslo(['cast', 'compute', 'log', 'n:=1'])
    expect(cast).toMatchObject({ code: 0, out: 'The broker has log for a server of compute\n', err: '' })
    await expect.poll(() => seen.length).toBe(1)
    expect((await oslo(['fanout', 'compute', 'log', 'n:=2', '--json'])).out).toBe('{"sent":true}\n')
    await expect.poll(() => seen.length).toBe(3)
    expect(
      seen
        .slice(1)
        .map(({ server }) => server)
        .toSorted(),
    ).toEqual(['one', 'two'])
  })

  it('fanout has no --server', async () => {
    expect(await oslo(['fanout', 'compute', 'log', '--server', 'one'])).toMatchObject({ code: 2 })
  })
})

describe('oslo-msg notify', () => {
  it('sends to the topics, with priority, publisher, payload and context', async () => {
    notified.length = 0
    const argv = [
      'instance.create',
      'id=7',
      'size:=2',
      '--topic',
      'other',
      '--priority',
      'error',
      '--publisher-id',
      'me',
    ]
    const { code, out } = await oslo(['notify', ...argv, '--context', '{"request_id": "r"}'])
    expect({ code, out }).toEqual({ code: 0, out: 'The broker has instance.create in other.error\n' })
    await expect
      .poll(() => notified)
      .toMatchObject([
        {
          priority: 'error',
          publisher: 'me',
          event: 'instance.create',
          payload: { id: '7', size: 2 },
          context: { request_id: 'r' },
        },
      ])
  })

  it('--from - each line one notification; --payload for payloads that are no object', async () => {
    notified.length = 0
    const lines = '{"event_type":"a","payload":[1]}\n{"event_type":"b","priority":"ERROR"}\n'
    expect(await oslo(['notify', '--from', '-'], lines)).toMatchObject({ code: 0, err: '' })
    expect(await oslo(['notify', 'c', '--payload', '"text"'])).toMatchObject({ code: 0 })
    await expect.poll(() => notified).toHaveLength(3)
    expect(notified).toMatchObject([
      { priority: 'info', event: 'a', payload: [1] },
      { priority: 'error', event: 'b', payload: {} },
      { priority: 'info', event: 'c', payload: 'text' },
    ])
  })

  it.each([
    { argv: [], says: 'Which event type?' },
    { argv: ['a', '--priority', 'loud'], says: 'Allowed choices are audit' },
    { argv: ['a', 'b=1', '--payload', '1'], says: 'give one of them' },
    { argv: ['a', '--payload', '{'], says: '"{" is not JSON' },
  ])('$argv - wrong usage', async ({ argv, says }) => {
    const { code, err } = await oslo(['notify', ...argv])
    expect(code).toBe(2)
    expect(err).toContain(says)
  })

  it('a line without its event type - says so and sends nothing after it', async () => {
    const { code, err } = await oslo(['notify', '--from', '-'], '{"payload":1}\n{"event_type":"a"}\n')
    expect(code).toBe(1)
    expect(err).toContain('line 1: the line has no "event_type"')
  })
})
