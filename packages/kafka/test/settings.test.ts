import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { inspect } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { isMessagingError, systemClock, TransportURL } from '@oslo-messaging/core/driver'
import { type KafkaOptions, kafkaConfig } from '../src/config.ts'
import { type KafkaSettings, readSettings } from '../src/settings.ts'
import { type Certificates, makeCertificates } from './support/certificates.ts'
import { type LogLine, type Options, recordingLogger } from './support/open-driver.ts'

const defaults = Object.fromEntries(Object.entries(kafkaConfig.options).map(([name, option]) => [name, option.default]))

function read(url: string, options: Options = {}): { settings: KafkaSettings; lines: LogLine[] } {
  const logger = recordingLogger()
  const context = {
    options: { ...defaults, ...options } as KafkaOptions,
    defaultExchange: 'openstack',
    program: 'nova-api',
    logger,
    clock: systemClock,
    random: Math.random,
  }
  return { settings: readSettings(TransportURL.parse(url), context, undefined), lines: logger.lines }
}

function refusal(url: string, options: Options): Error & { option?: string | undefined } {
  try {
    read(url, options)
  } catch (error) {
    if (isMessagingError(error, 'CONFIGURATION')) return error
    throw error
  }
  throw new Error('It was accepted')
}

describe('brokers', () => {
  it.each([
    { url: 'kafka://h1/', brokers: ['h1:9092'] },
    { url: 'kafka://h1:1,h2:2,h3/v', brokers: ['h1:1', 'h2:2', 'h3:9092'] },
    { url: 'kafka://[::1]:1,[fe80::1]/', brokers: ['[::1]:1', '[fe80::1]:9092'] },
    { url: 'kafka://', brokers: ['localhost:9092'] },
    { url: 'kafka:///v', brokers: ['localhost:9092'] },
  ])('T6 T9 $url - $brokers', ({ url, brokers }) => {
    expect(read(url).settings.cluster.brokers).toEqual(brokers)
  })

  it('T8 credentials are those of the first host; other users are warned about, passwords not printed', () => {
    const { settings, lines } = read('kafka://alice:pw1@h1,bob:pw2@h2/', { security_protocol: 'SASL_SSL' })
    expect(settings.cluster.sasl).toEqual({ mechanism: 'PLAIN', username: 'alice', password: 'pw1' })
    expect(lines.map(({ level }) => level)).toEqual(['warn'])
    expect(JSON.stringify(lines)).not.toMatch(/pw1|pw2/)
    expect(read('kafka://alice:pw1@h1,alice:pw1@h2/').lines).toEqual([])
  })
})

describe('options', () => {
  it('defaults and units', () => {
    expect(read('kafka://h/').settings).toMatchObject({
      cluster: { clientId: 'nova-api', tls: null, sasl: null },
      vhost: null,
      vhostMode: 'append',
      codec: 'none',
      lingerMs: 0,
      batchMessages: 16384,
      group: 'oslo_messaging_consumer',
      maxBytesPerPartition: 1048576,
      maxWaitMs: 1000,
      maxPollRecords: 500,
      sessionTimeoutMs: 30000,
      offsetReset: 'latest',
      commit: 'before',
    })
  })

  it.each([
    { options: { kafka_consumer_timeout: 0.25 }, settings: { maxWaitMs: 250 } },
    { options: { producer_batch_timeout: 0.005 }, settings: { lingerMs: 5 } },
    { options: { enable_auto_commit: true }, settings: { commit: 'background' } },
    { options: { kafka_commit_mode: 'after' }, settings: { commit: 'after' } },
    { options: { kafka_dead_letter_topic: 'dead' }, settings: { deadLetterTopic: 'dead' } },
  ])('$options', ({ options, settings }) => {
    expect(read('kafka://h/', options).settings).toMatchObject(settings)
  })

  it.each([
    { options: { consumer_group: '' }, option: 'consumer_group' },
    { options: { kafka_dead_letter_topic: 'dead letters' }, option: 'kafka_dead_letter_topic' },
    { options: { enable_auto_commit: true, kafka_commit_mode: 'after' }, option: 'enable_auto_commit' },
    { options: { security_protocol: 'SASL_SSL', sasl_mechanism: 'GSSAPI' }, option: 'sasl_mechanism' },
    { options: { security_protocol: 'SASL_SSL', sasl_mechanism: 'OAUTHBEARER' }, option: 'sasl_mechanism' },
    { options: { security_protocol: 'SASL_PLAINTEXT' }, option: 'security_protocol' },
    { options: { security_protocol: 'SSL', ssl_cafile: '/no/such/file' }, option: 'ssl_cafile' },
  ])('refuses $options, naming $option', ({ options, option }) => {
    const error = refusal('kafka://h/', options)
    expect(error.option).toBe(`[oslo_messaging_kafka] ${option}`)
  })
})

describe('virtual host', () => {
  it.each(['nova', 'a.b_c-D9', ''])('%j can be part of topic names', (vhost) => {
    expect(read(`kafka://h/${vhost}`).settings.vhost).toBe(vhost || null)
  })

  it.each(['bad%20vhost', 'a%2Fb', '%C3%A9', 'x'.repeat(250)])(
    '%j is refused when the transport is built, by name and without the password',
    (vhost) => {
      let thrown: unknown
      try {
        read(`kafka://user:pw-secret@h/${vhost}`)
      } catch (error) {
        thrown = error
      }
      expect(isMessagingError(thrown, 'INVALID_URL')).toBe(true)
      expect((thrown as Error).message).toContain(`virtual host ${JSON.stringify(decodeURIComponent(vhost))}`)
      expect(inspect(thrown)).not.toContain('pw-secret')
    },
  )
})

describe('TLS files', () => {
  let certificates: Certificates
  const folder = mkdtempSync(join(tmpdir(), 'kafka-settings-'))
  const garbage = join(folder, 'garbage.pem')

  beforeAll(async () => {
    certificates = await makeCertificates()
    writeFileSync(garbage, '-----BEGIN CERTIFICATE-----\nnonsense\n-----END CERTIFICATE-----\n')
  })
  afterAll(async () => {
    await certificates[Symbol.asyncDispose]()
    rmSync(folder, { recursive: true })
  })

  it('are read and checked when the transport is built', () => {
    const { settings } = read('kafka://h/', {
      security_protocol: 'SSL',
      ssl_cafile: certificates.path('ca.crt'),
      ssl_client_cert_file: certificates.path('client.crt'),
      ssl_client_key_file: certificates.path('locked.key'),
      ssl_client_key_password: 'key-secret',
    })
    expect(Object.keys(settings.cluster.tls ?? {})).toEqual(['ca', 'cert', 'key', 'passphrase'])
  })

  it('are read again for each new connection - a renewed one is used, and half of a renewal leaves what works', () => {
    const file = join(folder, 'renewed.crt')
    copyFileSync(certificates.path('ca.crt'), file)
    const { cluster } = read('kafka://h/', { security_protocol: 'SSL', ssl_cafile: file }).settings
    copyFileSync(certificates.path('other-ca.crt'), file)
    const renewed = readFileSync(file)
    expect(cluster.tls?.ca?.equals(renewed)).toBe(false)
    expect(cluster.renewTls()?.ca?.equals(renewed)).toBe(true)
    copyFileSync(garbage, file)
    expect(cluster.renewTls()?.ca?.equals(renewed)).toBe(true)
    rmSync(file)
    expect(cluster.renewTls()?.ca?.equals(renewed)).toBe(true)
  })

  it('a certificate without its key, garbage, and a wrong key password are refused by name', () => {
    const cert = certificates.path('client.crt')
    const lone = refusal('kafka://h/', { security_protocol: 'SSL', ssl_client_cert_file: cert })
    expect(lone.option).toContain('ssl_client_key_file')
    const broken = refusal('kafka://h/', { security_protocol: 'SSL', ssl_cafile: garbage })
    expect(broken.option).toContain('ssl_cafile')
    const locked = refusal('kafka://h/', {
      security_protocol: 'SSL',
      ssl_client_cert_file: cert,
      ssl_client_key_file: certificates.path('locked.key'),
      ssl_client_key_password: 'not-the-one',
    })
    expect(locked.option).toContain('ssl_client_key_file')
    expect(locked.message).not.toContain('not-the-one')
  })
})
