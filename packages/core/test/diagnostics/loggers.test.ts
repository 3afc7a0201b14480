import { once } from 'node:events'
import { pino } from 'pino'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import {
  consoleLogger,
  getNotificationTransport,
  getTransport,
  loadConfig,
  type Logger,
  Notifier,
  pinoLogger,
  silentLogger,
} from '../../src/index.ts'
import { createScene, rejection } from '../rpc/scene.ts'

type RealPino = ReturnType<typeof realPino>['logger']

/** pino as it is used, and what it has written. */
function realPino() {
  const lines: Record<string, unknown>[] = []
  const logger = pino({ level: 'debug' }, { write: (line) => void lines.push(JSON.parse(line) as (typeof lines)[0]) })
  return { logger, lines }
}

describe('pino', () => {
  it.each([
    ['through pinoLogger', (logger: RealPino): Logger => pinoLogger(logger)],
    ['given as it is', (logger: RealPino): Logger => logger],
  ])('%s - a failed method is written with its error, its stack and its cause', async (_, adapt) => {
    const { logger, lines } = realPino()
    await using scene = await createScene({ logger: adapt(logger) })
    await scene.serve({
      boom: () => {
        throw new Error('it is broken', { cause: new RangeError('too far') })
      },
    })
    await rejection(scene.client().call({}, 'boom'))
    const line = lines.find(({ level }) => level === 50)
    expect(line?.['msg']).toMatch(/^boom of .* failed: it is broken$/)
    expect(line?.['err']).toMatchObject({ type: 'Error', stack: expect.stringMatching(/at .*loggers\.test\.ts/) })
    expect(line?.['err']).toMatchObject({ stack: expect.stringContaining('caused by: RangeError: too far') })
  })

  it('pinoLogger - keeps the other fields, and writes the error under the key that pino was told', () => {
    const { lines } = realPino()
    const logger = pino(
      { errorKey: 'failure' },
      { write: (line) => void lines.push(JSON.parse(line) as object as never) },
    )
    pinoLogger(logger, { errorKey: 'failure' }).warn('no', { error: new Error('x'), attempt: 2 })
    pinoLogger(logger).info('yes')
    expect(lines).toMatchObject([{ msg: 'no', attempt: 2, failure: { message: 'x' } }, { msg: 'yes' }])
  })
})

describe('consoleLogger', () => {
  it('writes from its level on, the message and then the fields', () => {
    const written: unknown[] = []
    const note =
      (level: string) =>
      (...args: unknown[]) =>
        void written.push([level, ...args])
    const out = { debug: note('debug'), info: note('info'), warn: note('warn'), error: note('error') }
    const error = new Error('x')
    const logger = consoleLogger({ console: out })
    logger.debug('no')
    logger.info('yes')
    logger.error('bad', { error })
    consoleLogger({ level: 'debug', console: out }).debug('all')
    expect(written).toEqual([
      ['info', 'yes'],
      ['error', 'bad', { error }],
      ['debug', 'all'],
    ])
    let level: 'debug' | 'error' = 'error'
    const changing = consoleLogger({ level: () => level, console: out })
    changing.debug('not this')
    level = 'debug'
    changing.debug('but this')
    expect(written.at(-1)).toEqual(['debug', 'but this'])
    expect(written).toHaveLength(4)
    expect(() => consoleLogger({ level: 'loud' as 'info' })).toThrow('level must be one of debug, info, warn, error')
  })
})

describe('without a logger', () => {
  let warned: string[]
  beforeEach(() => {
    warned = []
    vi.spyOn(process, 'emitWarning').mockImplementation((message) => void warned.push(String(message)))
  })
  afterEach(() => {
    vi.restoreAllMocks()
  })

  const overrides = { DEFAULT: { transport_url: 'memory://' } }

  it('a notifier that sends nothing says so on stderr, once', async () => {
    const bus = await getNotificationTransport(await loadConfig({ overrides }))
    void [new Notifier(bus), new Notifier(bus)]
    expect(warned).toEqual([
      expect.stringMatching(/^A notifier without a driver sends nothing: set .*driver = messagingv2/),
    ])
    await bus.close()
  })

  it('a notifier that writes to a log nobody gave says so', async () => {
    const bus = await getNotificationTransport(await loadConfig({ overrides }))
    void new Notifier(bus, { driver: 'log' })
    expect(warned).toEqual([
      expect.stringMatching(/^The notification driver log writes to a logger, and none was given/),
    ])
    await bus.close()
  })

  it('a deprecated option and a deprecated function say so', async () => {
    const conf = await loadConfig({ overrides, env: { OS_DEFAULT__RPC_THREAD_POOL_SIZE: '7' } })
    // oxlint-disable-next-line typescript/no-deprecated -- what it says is tested
    await (await getTransport(conf)).close()
    expect(warned).toEqual([
      expect.stringContaining('write [DEFAULT] executor_thread_pool_size instead'),
      expect.stringMatching(/^getTransport is deprecated/),
    ])
  })

  it('nothing is said when a logger was given, nor of what only an operator wants to know', async () => {
    const bus = await getNotificationTransport(await loadConfig({ overrides }), { logger: silentLogger })
    void new Notifier(bus)
    await bus.close()
    await using scene = await createScene({ logger: undefined })
    await scene.serve({
      boom: () => {
        throw new Error('it is broken')
      },
    })
    await rejection(scene.client().call({}, 'boom'))
    expect(warned).toEqual([])
  })

  it('Node shows it as a warning of the process', async () => {
    vi.restoreAllMocks()
    const shown = once(process, 'warning')
    await loadConfig({ overrides, env: { OS_OSLO_MESSAGING_NOTIFICATION__DRIVER: 'noop' } })
    const [warning] = (await shown) as [Error]
    expect(warning).toMatchObject({ name: 'OsloMessagingWarning', code: 'OSLO_MESSAGING_ADVICE' })
    expect(warning.message).toContain('did you mean [oslo_messaging_notifications]?')
  })
})

describe('a logger that fails', () => {
  const unhandled: unknown[] = []
  const note = (error: unknown): void => void unhandled.push(error)
  beforeEach(() => {
    unhandled.length = 0
    process.on('unhandledRejection', note)
  })
  afterEach(() => {
    process.off('unhandledRejection', note)
  })

  it.each([
    [
      'throws',
      () => {
        throw new Error('the disk is full')
      },
    ],
    ['rejects', () => Promise.reject(new Error('the disk is full')) as never as void],
  ])('that %s - costs no client its reply, and no server its end', async (_, fail) => {
    const logger: Logger = { debug: fail, info: fail, warn: fail, error: fail }
    const scene = await createScene({ logger })
    const server = await scene.serve({
      boom: () => {
        throw new Error('it is broken')
      },
      unwritable: () => Symbol('no JSON'),
    })
    const client = scene.client({ timeoutMs: 10_000 })
    expect(await rejection(client.call({}, 'boom'))).toMatchObject({ message: 'it is broken' })
    expect(await rejection(client.call({}, 'unwritable'))).toMatchObject({ name: expect.stringContaining('Error') })
    await server.stop()
    await server.wait({ timeoutMs: 10_000 })
    expect(await scene.transport.close()).toEqual({ abandoned: 0 })
    expect(unhandled).toEqual([])
  })
})
