import { mkdtempSync, readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { getNotifier, type Transport } from '@oslo-messaging/core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { jsonLines, memoryNotifications, onMemory } from './support/memory.ts'

const URL = 'memory://cli-forward/'
let bus: Transport

beforeAll(async () => {
  bus = await memoryNotifications(URL)
})

afterAll(async () => void (await bus.close()))

const notify = async (topic: string, ...events: readonly string[]): Promise<void> => {
  const notifier = getNotifier(bus, { publisherId: 'compute.one', driver: 'messagingv2', topics: [topic] })
  for (const event of events) await notifier.info({ request_id: 'r' }, event, { event })
}

describe('oslo-msg forward', () => {
  it('to a file - one line each, in their order; the next run goes on where this one ended', async () => {
    const file = join(mkdtempSync(join(tmpdir(), 'cli-forward-')), 'events.ndjson')
    await notify('files', 'a', 'b', 'c')
    const argv = ['forward', 'files', '--take', '--to', file]
    expect(await onMemory(URL, [...argv, '--count', '2'])).toMatchObject({ code: 0 })
    expect(jsonLines(readFileSync(file, 'utf8')).map((line) => line['event_type'])).toEqual(['a', 'b'])
    await notify('files', 'd')
    expect(await onMemory(URL, [...argv, '--count', '2'])).toMatchObject({ code: 0 })
    expect(jsonLines(readFileSync(file, 'utf8'))).toMatchObject([
      {
        event_type: 'a',
        publisher_id: 'compute.one',
        priority: 'info',
        payload: { event: 'a' },
        context: { request_id: 'r' },
      },
      { event_type: 'b' },
      { event_type: 'c' },
      { event_type: 'd' },
    ])
  })

  it.each([
    { to: 'http://127.0.0.1:3/events', says: 'The webhook at 127.0.0.1:3 cannot be reached (ECONNREFUSED)', code: 0 },
    { to: '/nonexistent/events', says: '--to: /nonexistent/events cannot be written (ENOENT)', code: 1 },
    { to: 'http://', says: '--to http:// is no URL', code: 2 },
  ])('to $to - says what is wrong, and the notification stays', async ({ to, says, code }) => {
    const topic = `stays-${code}`
    await notify(topic, 'a')
    const ended = await onMemory(URL, ['forward', topic, '--take', '--to', to, '--for', '0.3'])
    expect(ended.code).toBe(code)
    expect(ended.err).toContain(says)
    const taken = await onMemory(URL, ['listen', topic, '--take', '--count', '1', '--json'])
    expect(jsonLines(taken.out)).toMatchObject([{ event_type: 'a' }])
  })

  it('to a webhook - as CloudEvents, again until it confirms', async () => {
    const got: Record<string, unknown>[] = []
    let refusals = 1
    const server = createServer((request, response) => {
      let body = ''
      request.on('data', (part: Buffer) => (body += part.toString()))
      request.on('end', () => {
        if (refusals > 0) {
          refusals -= 1
          response.writeHead(503).end()
          return
        }
        got.push({
          ...(JSON.parse(body) as object),
          contentType: request.headers['content-type'],
          login: request.headers.authorization,
        })
        response.writeHead(204).end()
      })
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const address = server.address()
    const port = typeof address === 'object' && address !== null ? address.port : 0
    await notify('hooks', 'instance.create', 'volume.create', 'instance.delete')
    const to = `http://user:s3cret@127.0.0.1:${port}/events`
    const { code, err } = await onMemory(URL, [
      'forward',
      'hooks',
      '--take',
      '--to',
      to,
      '--event-type',
      'instance',
      '--count',
      '2',
    ])
    server.close()
    expect(code).toBe(0)
    expect(got).toMatchObject([
      {
        specversion: '1.0',
        type: 'instance.create',
        source: 'compute.one',
        data: { event: 'instance.create' },
        contentType: 'application/cloudevents+json; charset=utf-8',
        login: 'Basic dXNlcjpzM2NyZXQ=',
      },
      { type: 'instance.delete' },
    ])
    expect(err).toContain('not forwarded, and tried again in 500 ms: The webhook answers with status 503')
    expect(err).toContain('forwarded 2 notifications')
    expect(err).not.toContain('s3cret')
  })

  it('to another bus - whoever listens there gets it', async () => {
    const other = 'memory://cli-forward-other/'
    await notify('buses', 'a')
    expect(await onMemory(URL, ['forward', 'buses', '--take', '--to', other, '--count', '1'])).toMatchObject({
      code: 0,
    })
    const { out } = await onMemory(other, ['listen', '--take', '--count', '1', '--json'])
    expect(jsonLines(out)).toMatchObject([{ event_type: 'a', publisher_id: 'compute.one', payload: { event: 'a' } }])
  })

  it.each([
    { argv: ['t', '--to', 'x'], code: 2, says: 'Give --pool NAME' },
    { argv: ['t', '--take'], code: 2, says: "required option '--to <place>' not specified" },
    { argv: ['t', '--take', '--to', 'x', '--priority', 'info', '--priority', 'eror'], code: 2, says: 'not eror' },
    { argv: ['t', '--take', '--to', 'x', '--event-type', '('], code: 2, says: 'eventType is no regular expression' },
    { argv: ['t', '--take', '--to', '/nonexistent/folder/file'], code: 1, says: 'ENOENT' },
    { argv: ['t', '--take', '--to', 'nats://h/'], code: 1, says: 'nats' },
  ])('$argv - one line, exit code $code', async ({ argv, code, says }) => {
    const ended = await onMemory(URL, ['forward', ...argv])
    expect(ended.code).toBe(code)
    expect(ended.err).toContain(says)
    expect(ended.err).toMatch(/^[^\n]*\n$/)
  })
})
