import { getMessaging, type Messaging, NoOpSerializer, pinoLogger } from '@oslo-messaging/core'
import { createFaults, createMemoryDriver, createRecorder } from '@oslo-messaging/core/testing'
import { multistream, pino } from 'pino'
import { describe, expect, it } from 'vitest'
import { ErrorNotifications, LogNotifications } from '../src/index.ts'

async function open(driver: string, streams: readonly { write(line: string): void; connect(to: Messaging): void }[]) {
  const recorder = createRecorder()
  const faults = createFaults()
  const memory = createMemoryDriver({ recorder, faults })
  const lines: string[] = []
  const log = pino(
    { level: 'trace', name: 'shop' },
    multistream(
      [...streams, { write: (line: string) => void lines.push(line) }].map((stream) => ({ level: 'trace', stream })),
    ),
  )
  const messaging = await getMessaging({
    url: 'memory://',
    registry: { resolve: async () => memory },
    overrides: { oslo_messaging_notifications: { driver: [driver], retry: 0 } },
    logger: pinoLogger(log),
  })
  for (const stream of streams) stream.connect(messaging)
  const sent = () => recorder.notifications().map(({ message }) => message)
  return { log, messaging, faults, lines, sent, recorder }
}

describe('M4 LoggingNotificationHandler - records of pino as notifications', () => {
  it('a logrecord of the priority of each level, with the twelve fields', async () => {
    const { log, messaging, sent } = await open('messagingv2', [new LogNotifications({ publisherId: 'shop.one' })])
    log.info({ order: 7 }, 'hello %s', 'world')
    log.warn('careful')
    log.error(new Error('disk full'))
    log.fatal('the end')
    log.debug('detail')
    log.trace('too small')
    await messaging.drain()
    const records = sent().filter(({ event_type: type }) => type === 'logrecord')
    const named = records.filter(({ payload }) => (payload as { name: unknown }).name === 'shop')
    expect(named.slice(0, 5).map(({ priority }) => priority)).toEqual(['INFO', 'WARN', 'ERROR', 'CRITICAL', 'DEBUG'])
    expect(records[0]).toMatchObject({ publisher_id: 'shop.one', event_type: 'logrecord' })
    expect(records[0]?.payload).toEqual({
      name: 'shop',
      levelno: 20,
      levelname: 'INFO',
      exc_info: null,
      pathname: null,
      lineno: null,
      msg: 'hello world',
      funcName: null,
      thread: null,
      processName: expect.any(String),
      process: process.pid,
      extra: { order: 7 },
    })
    expect(records[2]?.payload).toMatchObject({
      msg: 'disk full',
      exc_info: expect.stringContaining('Error: disk full'),
    })
    expect(JSON.stringify(records)).not.toContain('too small')
  })

  it('what sending itself logs is not sent: no loop', async () => {
    let inside = (): void => {}
    class Talkative extends NoOpSerializer {
      override serializeEntity(_context: object, entity: unknown): unknown {
        inside()
        return entity
      }
    }
    const { log, messaging, sent, lines } = await open('messagingv2', [
      new LogNotifications({ serializer: new Talkative() }),
    ])
    inside = () => log.info('serializing')
    log.error('one')
    await messaging.notifications.flush({ timeoutMs: 1000 })
    expect(sent().map(({ payload }) => (payload as { msg: string }).msg)).toEqual(['one'])
    expect(lines.filter((line) => line.includes('serializing'))).toHaveLength(1)
  })

  it('a broker that refuses costs the record its notification, and nothing else', async () => {
    const { log, messaging, faults, sent, lines } = await open('messagingv2', [new LogNotifications()])
    faults.refusePublish({ every: true })
    log.error('one')
    await messaging.notifications.flush({ timeoutMs: 1000 })
    expect(lines.filter((line) => line.includes('"one"'))).toHaveLength(1)
    expect(sent()).toEqual([])
  })

  it('passes over what is no record, and all before it is connected', async () => {
    const stream = new LogNotifications()
    stream.write('{"level":50,"msg":"early"}\n')
    const { messaging, recorder } = await open('messagingv2', [stream])
    for (const line of ['not json\n', '7\n', 'null\n', '{"level":55,"msg":"own level"}\n']) stream.write(line)
    expect(recorder.notifications()).toEqual([])
    await messaging.drain()
  })
})

describe('M5 LoggingErrorNotificationHandler - errors alone', () => {
  it('an error_notification with the message, from error.publisher', async () => {
    const { log, messaging, sent } = await open('messagingv2', [new ErrorNotifications()])
    log.warn('careful')
    log.error({ secret: 1 }, 'disk full')
    await messaging.drain()
    expect(sent()).toHaveLength(1)
    expect(sent()[0]).toMatchObject({
      publisher_id: 'error.publisher',
      event_type: 'error_notification',
      priority: 'ERROR',
      payload: { error: 'disk full' },
    })
  })

  it('nothing while the driver log is configured: each notification would be a record again', async () => {
    const { log, messaging, lines } = await open('log', [new ErrorNotifications(), new LogNotifications()])
    log.error('disk full')
    await messaging.drain()
    expect(lines.filter((line) => line.includes('disk full'))).toHaveLength(1)
  })
})
