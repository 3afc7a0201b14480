import { isMessagingError, type Logger, silentLogger } from '@oslo-messaging/core/driver'
import { describe, expect, it } from 'vitest'
import type { RabbitOptions } from '../src/config.ts'
import { FakeBroker } from './support/fake-broker.ts'
import { openDriver } from './support/open-driver.ts'

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
    [{ ssl: true }, /not verified: set ssl_ca_file/],
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
    [{ ssl: true, ssl_version: 'SSLv3' }, 'ssl_version'],
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
