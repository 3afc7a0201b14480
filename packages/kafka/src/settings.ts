import { X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { createSecureContext } from 'node:tls'
import {
  ConfigurationError,
  type CredentialsProvider,
  type DriverContext,
  InvalidTransportURL,
  type TransportURL,
} from '@oslo-messaging/core/driver'
import { type KafkaOptions, kafkaConfig } from './config.ts'
import type { CompressionCodec } from './port/client-port.ts'
import { isTopicName, TOPIC_NAMES, topicToSend, type VhostMode } from './topology/topic-name.ts'

/** Upstream has no default port and connects to `host:None`; Kafka's own is the only sensible one. */
const DEFAULT_PORT = 9092
const MECHANISMS = ['PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512', 'OAUTHBEARER'] as const

/** Kafka's limit is 249; listeners of one group after the first get a number behind it. */
const LONGEST_INSTANCE_ID = 240

/** The client library that speaks to the brokers. */
export type ClientName = 'kafkajs' | 'platformatic'

export type SaslMechanism = (typeof MECHANISMS)[number]

/** An OAuth access token, as the token callback gives it. */
export interface OAuthBearerToken {
  readonly value: string
}

/** Asked for a token whenever a connection authenticates, and again before the broker's session for it ends. */
export type OAuthBearerTokenProvider = () => Promise<OAuthBearerToken>

export type SaslSettings =
  | { readonly mechanism: 'OAUTHBEARER'; readonly token: OAuthBearerTokenProvider }
  | {
      readonly mechanism: Exclude<SaslMechanism, 'OAUTHBEARER'>
      readonly username: string
      readonly password: string
    }

export interface TlsSettings {
  readonly ca?: Buffer
  readonly cert?: Buffer
  readonly key?: Buffer
  readonly passphrase?: string
}

/** How to reach and enter the cluster. */
export interface ClusterSettings {
  /** `host:port`, IPv6 in brackets. */
  readonly brokers: readonly string[]
  readonly clientId: string
  readonly tls: TlsSettings | null
  /** The same, from the files as they are now: certificates are renewed while a process runs. Files that cannot be used
   *  leave it as it was. */
  readonly renewTls: () => TlsSettings | null
  readonly sasl: SaslSettings | null
  /** Asked for name and password at each login; undefined: those of `sasl` are used. */
  readonly credentials?: CredentialsProvider | undefined
}

/** `[oslo_messaging_kafka]` as the driver uses it: milliseconds, files read, everything checked. */
export interface KafkaSettings {
  readonly cluster: ClusterSettings
  readonly vhost: string | null
  readonly vhostMode: VhostMode
  readonly codec: CompressionCodec
  readonly lingerMs: number
  readonly batchMessages: number
  readonly group: string
  readonly maxBytesPerPartition: number
  readonly maxWaitMs: number
  readonly maxPollRecords: number
  readonly maxQueuedBytes: number
  readonly checksCrc: boolean
  readonly sessionTimeoutMs: number
  /** Names listeners as static members of their groups; null: they are dynamic ones. */
  readonly groupInstanceId: string | null
  readonly offsetReset: 'latest' | 'earliest'
  /** `background`: the position is stored now and then, not waited for (`enable_auto_commit`). */
  readonly commit: 'before' | 'after' | 'background'
  readonly deadLetterTopic: string | null
}

/** Reads and checks what can be known without the broker.
 *  Throws: ConfigurationError that names the option and the remedy. */
export function readSettings(
  url: TransportURL,
  context: DriverContext<KafkaOptions>,
  token: OAuthBearerTokenProvider | undefined,
): KafkaSettings {
  const { options } = context
  if (options.enable_auto_commit && options.kafka_commit_mode === 'after') {
    refuse('enable_auto_commit', 'cannot be combined with kafka_commit_mode = after: choose one of the two')
  }
  checkVhost(url)
  if (options.kafka_dead_letter_topic !== '' && !isTopicName(options.kafka_dead_letter_topic)) {
    refuse('kafka_dead_letter_topic', `is no topic name: ${TOPIC_NAMES}`)
  }
  return {
    cluster: {
      brokers: brokerList(url, context),
      clientId: context.program,
      ...renewable(options.security_protocol.endsWith('SSL') ? () => tlsSettings(options) : () => null),
      sasl: options.security_protocol.startsWith('SASL') ? saslSettings(url, context, token) : null,
      credentials: context.credentials,
    },
    vhost: url.virtualHost || null,
    vhostMode: options.kafka_vhost_mode as VhostMode,
    codec: options.compression_codec as CompressionCodec,
    lingerMs: options.producer_batch_timeout * 1000,
    batchMessages: options.producer_batch_size,
    group: options.consumer_group || refuse('consumer_group', 'is empty: name the consumer group of this service'),
    maxBytesPerPartition: options.kafka_max_fetch_bytes,
    maxWaitMs: Math.round(options.kafka_consumer_timeout * 1000),
    maxPollRecords: options.max_poll_records,
    maxQueuedBytes: options.kafka_max_queued_bytes,
    checksCrc: options.kafka_check_crcs,
    groupInstanceId: instanceId(options),
    sessionTimeoutMs: Math.round(options.kafka_session_timeout * 1000),
    offsetReset: options.auto_offset_reset as 'latest' | 'earliest',
    commit: options.enable_auto_commit ? 'background' : (options.kafka_commit_mode as 'before' | 'after'),
    deadLetterTopic:
      options.kafka_dead_letter_topic === ''
        ? null
        : topicToSend(options.kafka_dead_letter_topic, url.virtualHost, options.kafka_vhost_mode as VhostMode),
  }
}

/** Kafka takes what it takes as a topic name. */
function instanceId({ kafka_group_instance_id: id }: KafkaOptions): string | null {
  if (id === '') return null
  if (!isTopicName(id) || id.length > LONGEST_INSTANCE_ID) {
    refuse(
      'kafka_group_instance_id',
      `is no name of a static member: at most ${LONGEST_INSTANCE_ID} of a-z A-Z 0-9 . _ -`,
    )
  }
  return id
}

/** The virtual host becomes part of topic names, and a broker would refuse every one of them. */
function checkVhost(url: TransportURL): void {
  const { virtualHost } = url
  if (virtualHost === null || virtualHost === '' || isTopicName(`t.${virtualHost}`)) return
  throw new InvalidTransportURL(
    url.redacted,
    `The virtual host ${JSON.stringify(virtualHost)} of the kafka:// URL becomes part of topic names: ${TOPIC_NAMES}`,
  )
}

/** Hosts become the list of brokers to begin with; credentials are those of the first host, as upstream. */
function brokerList(url: TransportURL, context: DriverContext<KafkaOptions>): readonly string[] {
  const hosts = url.hosts.filter((host) => host.hostname !== null && host.hostname !== '')
  const user = url.hosts[0]?.username ?? null
  if (hosts.some((host) => host.username !== user)) {
    context.logger.warn('The kafka:// URL names several users; the one of the first host is used for every broker', {
      brokers: hosts.map((host) => String(host.hostname)),
    })
  }
  if (hosts.length === 0) return [`localhost:${DEFAULT_PORT}`]
  return hosts.map(({ hostname, port }) => {
    const name = String(hostname)
    return `${name.includes(':') && !name.startsWith('[') ? `[${name}]` : name}:${port ?? DEFAULT_PORT}`
  })
}

function saslSettings(
  url: TransportURL,
  { options, credentials }: DriverContext<KafkaOptions>,
  token: OAuthBearerTokenProvider | undefined,
): SaslSettings {
  const mechanism = MECHANISMS.find((known) => known === options.sasl_mechanism.toUpperCase())
  if (mechanism === undefined) {
    return refuse('sasl_mechanism', `${options.sasl_mechanism} is not supported; use one of ${MECHANISMS.join(', ')}`)
  }
  if (mechanism === 'OAUTHBEARER') {
    if (token !== undefined) return { mechanism, token }
    return refuse(
      'sasl_mechanism',
      'OAUTHBEARER needs a token callback: register createKafkaDriver({ oauthBearerToken }) with createDriverRegistry',
    )
  }
  const { username = null, password = null } = url.hosts[0] ?? {}
  if (username === null || username === '' || password === null) {
    // The application says who it is when a connection logs in.
    if (credentials !== undefined) return { mechanism, username: '', password: '' }
    return refuse(
      'security_protocol',
      `${options.security_protocol} with ${mechanism} needs a user and a password: write kafka://user:password@host:port/`,
    )
  }
  return { mechanism, username, password }
}

function renewable(read: () => TlsSettings | null): Pick<ClusterSettings, 'tls' | 'renewTls'> {
  const tls = read()
  let last = tls
  const renewTls = (): TlsSettings | null => {
    try {
      last = read()
    } catch (error) {
      // Half of a renewal: the certificate is there and its key is not yet, for example.
      if (!(error instanceof ConfigurationError)) throw error
    }
    return last
  }
  return { tls, renewTls }
}

function tlsSettings(options: KafkaOptions): TlsSettings {
  const ca = readPem(options, 'ssl_cafile')
  const cert = readPem(options, 'ssl_client_cert_file')
  const key = readPem(options, 'ssl_client_key_file')
  if ((cert === undefined) !== (key === undefined)) {
    refuse(
      cert === undefined ? 'ssl_client_cert_file' : 'ssl_client_key_file',
      'is missing: a client certificate needs both ssl_client_cert_file and ssl_client_key_file',
    )
  }
  const settings: TlsSettings = {
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
    ...(options.ssl_client_key_password === '' ? {} : { passphrase: options.ssl_client_key_password }),
  }
  checkPem('ssl_cafile', 'is no PEM file with certificates', () => ca && new X509Certificate(ca))
  checkPem('ssl_client_cert_file', 'is no PEM file with a certificate', () => cert && new X509Certificate(cert))
  checkPem(
    'ssl_client_key_file',
    'does not open: check ssl_client_key_password and that it belongs to ssl_client_cert_file',
    () => createSecureContext(settings),
  )
  return settings
}

function checkPem(option: keyof KafkaOptions, problem: string, check: () => unknown): void {
  try {
    check()
  } catch (error) {
    refuse(option, problem, error)
  }
}

function readPem(
  options: KafkaOptions,
  option: 'ssl_cafile' | 'ssl_client_cert_file' | 'ssl_client_key_file',
): Buffer | undefined {
  const file = options[option]
  if (file === '') return undefined
  try {
    return readFileSync(file)
  } catch (error) {
    return refuse(option, `${file} cannot be read: give a PEM file this process may open`, error)
  }
}

function refuse(option: keyof KafkaOptions, problem: string, cause?: unknown): never {
  const name = `[${kafkaConfig.group}] ${option}`
  throw new ConfigurationError(`${name} ${problem}`, { option: name, cause })
}
