import { describe, expect, it } from 'vitest'
import type { Logger } from '../../../src/diagnostics/logger.ts'
import { maskSecrets } from '../../../src/notify/mask-secrets.ts'
import { Notifier } from '../../../src/notify/notifier.ts'
import type { Priority } from '../../../src/notify/priority.ts'
import { createFakeBus } from '../fake-bus.ts'

describe('N12 driver log', () => {
  const levels: readonly [Priority, keyof Logger][] = [
    ['debug', 'debug'],
    ['info', 'info'],
    ['warn', 'warn'],
    ['error', 'error'],
    ['critical', 'error'],
  ]
  it.each(levels)('%s is logged as %s, as JSON, under the name of the event', async (priority, level) => {
    const bus = await createFakeBus()
    await new Notifier(bus.transport, { driver: 'log' })[priority]({}, 'demo.event', { id: 7n, at: new Date(0) })
    expect(bus.lines).toMatchObject([{ level, fields: { logger: 'oslo.messaging.notification.demo.event' } }])
    expect(JSON.parse(bus.lines[0]?.message ?? '')).toMatchObject({
      event_type: 'demo.event',
      priority: priority.toUpperCase(),
      payload: { id: 7, at: '1970-01-01T00:00:00.000000' },
    })
  })

  it.each(['audit', 'sample'] as const)('%s has no level: a warning without the message', async (priority) => {
    const bus = await createFakeBus()
    await new Notifier(bus.transport, { driver: 'log' })[priority]({}, 'demo.event', { a: 'content' })
    expect(bus.lines).toMatchObject([{ level: 'warn', message: expect.stringContaining(priority) }])
    expect(bus.lines[0]?.message).not.toContain('content')
  })

  it('writes to the logger of the notifier when it has one', async () => {
    const bus = await createFakeBus()
    const messages: string[] = []
    const write = (message: string): void => void messages.push(message)
    const logger: Logger = { debug: write, info: write, warn: write, error: write }
    await new Notifier(bus.transport, { driver: 'log', logger }).info({}, 'e', {})
    expect([messages.length, bus.lines.length]).toEqual([1, 0])
  })

  it('masks passwords, tokens and keys, wherever they are', async () => {
    const bus = await createFakeBus()
    const payload = {
      adminPass: 's3cret1',
      nested: [{ 'auth-token': 's3cret2' }, new Map([['ssh_key', 's3cret3']])],
      url: 'rabbit://user:s3cret4@host/',
      line: 'login with password=s3cret5, "api_key": "s3cret6 s3cret7" and token: s3cret8;',
      username: 'visible',
    }
    await new Notifier(bus.transport, { driver: 'log' }).info({}, 'e', payload)
    const text = bus.lines[0]?.message ?? ''
    expect(text).not.toContain('s3cret')
    expect(text).toContain('visible')
    expect(text).toContain('rabbit://user:***@host/')
  })
})

describe('maskSecrets', () => {
  it('leaves the original alone', () => {
    const value = { password: 'x', list: [{ secret: 'y' }] }
    expect(maskSecrets(value)).toEqual({ password: '***', list: [{ secret: '***' }] })
    expect(value).toEqual({ password: 'x', list: [{ secret: 'y' }] })
  })

  it('keeps a field named __proto__ a field', () => {
    expect(JSON.stringify(maskSecrets(JSON.parse('{"__proto__": {"token": "x"}}')))).toBe(
      '{"__proto__":{"token":"***"}}',
    )
  })

  it('does not get slow on hostile text', () => {
    const started = performance.now()
    maskSecrets([
      'password'.repeat(20_000),
      'a'.repeat(200_000),
      '://'.repeat(50_000),
      `password${' '.repeat(100_000)}`,
    ])
    expect(performance.now() - started).toBeLessThan(2000)
  })

  it('masks what is nested too deep to look at', () => {
    let deep: unknown = 's3cret'
    for (let level = 0; level < 200; level += 1) deep = [deep]
    expect(JSON.stringify(maskSecrets(deep))).not.toContain('s3cret')
  })
})
