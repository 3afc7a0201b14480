import { isMessagingError, type Logger, silentLogger, Target } from '@oslo-messaging/core/driver'
import { loadConfig } from '@oslo-messaging/core'
import { describe, expect, it } from 'vitest'
import { rabbitConfig, type RabbitOptions } from '../src/config.ts'
import type { RabbitSettings } from '../src/settings.ts'
import { FakeBroker } from './support/fake-broker.ts'
import { listenOptions, openDriver } from './support/open-driver.ts'

/** Opens a driver and gives what it said. */
function said(options: Partial<RabbitOptions>): readonly string[] {
  const lines: string[] = []
  const logger: Logger = { ...silentLogger, warn: (text) => lines.push(text) }
  openDriver(new FakeBroker(), { options, logger })
  return lines
}

describe('options', () => {
  it('say nothing when they are left alone', () => expect(said({})).toEqual([]))

  it.each([
    [{ rpc_conn_pool_size: 60 }, /rpc_conn_pool_size has no effect: one connection/],
    [{ conn_pool_ttl: 60 }, /conn_pool_ttl has no effect/],
    [{ heartbeat_in_pthread: true }, /heartbeat_in_pthread has no effect/],
    [{ ssl_enforce_fips_mode: true }, /--enable-fips/],
    [{ rabbit_ha_queues: true }, /ignores since 3\.0/],
    [{ ssl: true, ssl_unverified: true }, /not verified: set ssl_ca_file/],
    [{ heartbeat_timeout_threshold: 0 }, /silent is not noticed/],
  ])('%o say once what they do not do', (options, text) => {
    const lines = said(options)
    expect(lines.length).toBe(1)
    expect(lines[0]).toMatch(text)
  })

  it.each([
    [{ rabbit_ha_queues: true, rabbit_quorum_queue: true }, 'rabbit_ha_queues'],
    [{ rabbit_stream_fanout: true, rabbit_transient_quorum_queue: true }, 'rabbit_qos_prefetch_count'],
    [{ rabbit_stream_fanout: true, rabbit_qos_prefetch_count: 1 }, 'rabbit_transient_quorum_queue'],
    [{ conn_pool_min_size: 50 }, 'conn_pool_min_size'],
    [{ kombu_compression: 'bz2' }, 'kombu_compression'],
    [{ rabbit_login_method: 'RABBIT-CR-DEMO' as const }, 'rabbit_login_method'],
    [{ ssl: true }, 'ssl_ca_file'],
    [{ ssl: true, ssl_unverified: true, ssl_version: 'SSLv3' }, 'ssl_version'],
    [{ ssl: true, ssl_ca_file: '/does/not/exist' }, 'ssl_ca_file'],
  ])('%o are refused before anything is connected, and the option is named', (options, name) => {
    let caught: unknown
    try {
      said(options)
    } catch (error) {
      caught = error
    }
    expect(isMessagingError(caught, 'CONFIGURATION')).toBe(true)
    expect(caught).toMatchObject({ option: `[oslo_messaging_rabbit] ${name}` })
  })
})

describe('P20 - the consumer timeout of the broker, said when a server starts', () => {
  const half = 30 * 60 * 1000
  it.each<{ name: string; settings: Partial<RabbitSettings>; expected: RegExp | null }>([
    { name: 'before: nothing is held back', settings: { longestMethodMs: 2 * half }, expected: null },
    { name: 'after, and nothing known', settings: { ack: 'after' }, expected: /1800 s.*set longestMethodMs/ },
    {
      name: 'after, and longer than the broker allows',
      settings: { ack: 'after', longestMethodMs: 2_400_000 },
      expected:
        /methods run up to 2400 s \(longestMethodMs\), longer than .* \(1800 s by consumerTimeoutMs\).*keep acknowledge: 'before'/,
    },
    { name: 'after, and shorter', settings: { ack: 'after', longestMethodMs: 60_000 }, expected: null },
    {
      name: 'after, and the broker was told to wait longer',
      settings: { ack: 'after', longestMethodMs: 2_400_000, consumerTimeoutMs: 2 * half },
      expected: null,
    },
    { name: 'after, and the broker has none', settings: { ack: 'after', consumerTimeoutMs: null }, expected: null },
  ])('P20 - $name', async ({ settings, expected }) => {
    const lines: string[] = []
    const logger: Logger = { ...silentLogger, warn: (text) => lines.push(text) }
    const driver = openDriver(new FakeBroker(), { settings, logger })
    for (const server of ['a', 'b']) {
      const listener = await driver.listen(
        new Target({ topic: 't', server }),
        listenOptions(() => {}),
      )
      await listener.close()
    }
    expect(lines.length).toBe(expected === null ? 0 : 1)
    if (expected !== null) expect(lines[0]).toMatch(expected)
    await driver.close()
  })
})

it('options that oslo once had are passed over, and what to do is said', async () => {
  const lines: string[] = []
  const conf = await loadConfig({
    argv: ['rabbit_hosts', 'rabbit_max_retries', 'fake_rabbit'].map((name) => `--oslo_messaging_rabbit.${name}=1`),
    logger: { ...silentLogger, warn: (text) => lines.push(text) },
  })
  conf.resolve(rabbitConfig)
  expect(lines).toEqual([
    expect.stringContaining(
      'rabbit_hosts (argument --oslo_messaging_rabbit.rabbit_hosts) is no option any more: write them into',
    ),
    expect.stringContaining('rabbit_max_retries'),
    expect.stringContaining('fake_rabbit'),
  ])
})
