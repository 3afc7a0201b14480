import { execFile } from 'node:child_process'
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { promisify } from 'node:util'

import { freePorts, sharedBroker, startBroker } from '@oslo-messaging/brokers'
import type { ConfigOverrides } from '@oslo-messaging/core'

import { unique } from '../../test/support/ours.ts'
import type { VenueName } from './row.ts'

/** A running broker, as the rows that share it see it. */
export interface Venue extends AsyncDisposable {
  /** What runs there, for the report. */
  readonly version: string
  /** A transport URL with a fence around it where the broker has fences. */
  url(vhost: string | undefined): Promise<string>
  /** Makes the topics of Kafka; resolves at once elsewhere. */
  createTopics(names: readonly string[]): Promise<void>
  /** What both sides need to come in. */
  readonly settings: ConfigOverrides
}

const opened = new Map<VenueName, Promise<Venue>>()

/** Starts the broker when the first row asks for it. Rejects with BrokerUnavailable where it cannot be had. */
export function venue(name: VenueName): Promise<Venue> {
  const found = opened.get(name) ?? OPEN[name]()
  opened.set(name, found)
  return found
}

/** Ends what this process started; shared brokers stay. */
export async function closeVenues(): Promise<void> {
  const all = await Promise.allSettled(opened.values())
  opened.clear()
  for (const each of all) if (each.status === 'fulfilled') await each.value[Symbol.asyncDispose]()
}

const nothing = async (): Promise<void> => Promise.resolve()
const OPEN: Readonly<Record<VenueName, () => Promise<Venue>>> = {
  rabbit: async () => {
    const broker = await sharedBroker('rabbit')
    return {
      version: `RabbitMQ ${broker.version}`,
      url: () => broker.vhost(),
      createTopics: nothing,
      settings: {},
      [Symbol.asyncDispose]: nothing,
    }
  },
  'rabbit with TLS': openRabbitWithTls,
  artemis: async () => {
    const broker = await startBroker('artemis')
    return {
      version: `Artemis ${broker.version}`,
      // Part of every address, so that one row cannot see the messages of another.
      url: async () => Promise.resolve(broker.urlFor({ vhost: unique('vhost') })),
      createTopics: nothing,
      settings: {},
      [Symbol.asyncDispose]: () => broker.close(),
    }
  },
  kafka: async () => {
    const broker = await sharedBroker('kafka')
    return {
      version: `Kafka ${broker.version}`,
      url: async (vhost) => Promise.resolve(vhost === undefined ? broker.url : broker.urlFor({ vhost })),
      createTopics: (names) => broker.createTopics(names),
      settings: {},
      [Symbol.asyncDispose]: nothing,
    }
  },
  'kafka with SASL': openKafkaWithSasl,
}

async function openRabbitWithTls(): Promise<Venue> {
  const folder = await mkdtemp(path.join(tmpdir(), 'interop-tls-'))
  // The broker may run as another user.
  await chmod(folder, 0o755)
  const at = (name: string): string => path.join(folder, name)
  const openssl = async (...args: string[]): Promise<unknown> => promisify(execFile)('openssl', args, { cwd: folder })
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2']
  await openssl('req', '-x509', ...key, '-subj', '/CN=authority', '-keyout', 'ca.key', '-out', 'ca.pem')
  await writeFile(at('names'), 'subjectAltName=DNS:localhost,IP:127.0.0.1\nextendedKeyUsage=serverAuth\n')
  await openssl('req', ...key.slice(0, -2), '-subj', '/CN=localhost', '-keyout', 'server.key', '-out', 'server.csr')
  const signing = ['-CA', 'ca.pem', '-CAkey', 'ca.key', '-CAcreateserial', '-days', '2', '-extfile', 'names']
  await openssl('x509', '-req', '-in', 'server.csr', ...signing, '-out', 'server.pem')
  await chmod(at('server.key'), 0o644)
  const [port = 0] = await freePorts(1)
  const broker = await startBroker('rabbit', {
    config: {
      'listeners.ssl.1': `127.0.0.1:${port}`,
      'ssl_options.cacertfile': at('ca.pem'),
      'ssl_options.certfile': at('server.pem'),
      'ssl_options.keyfile': at('server.key'),
    },
  })
  return {
    version: `RabbitMQ ${broker.version}`,
    url: async () => {
      const vhost = unique('tls')
      await broker.vhost(vhost)
      return broker.urlFor({ vhost, via: [{ host: 'localhost', port }] })
    },
    createTopics: nothing,
    settings: { oslo_messaging_rabbit: { ssl_ca_file: at('ca.pem') } },
    [Symbol.asyncDispose]: async () => {
      await broker.close()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

const SASL_USER = { user: 'alice', password: 'alice-secret+' } as const

async function openKafkaWithSasl(): Promise<Venue> {
  const [port = 0] = await freePorts(1)
  const login = 'org.apache.kafka.common.security.plain.PlainLoginModule required'
  const broker = await startBroker('kafka', {
    listeners: [{ name: 'SASL_PLAINTEXT', protocol: 'SASL_PLAINTEXT', port }],
    config: {
      'listener.name.sasl_plaintext.plain.sasl.jaas.config': `${login} user_${SASL_USER.user}="${SASL_USER.password}";`,
      'sasl.enabled.mechanisms': 'PLAIN',
    },
  })
  return {
    version: `Kafka ${broker.version}`,
    url: async () => Promise.resolve(broker.urlFor({ ...SASL_USER, via: [{ host: '127.0.0.1', port }] })),
    createTopics: (names) => broker.createTopics(names),
    settings: {},
    [Symbol.asyncDispose]: () => broker.close(),
  }
}
