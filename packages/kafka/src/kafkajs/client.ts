import type { ConnectionOptions } from 'node:tls'
import { type KafkaConfig, Kafka, logLevel } from 'kafkajs'
import type { Logger } from '@oslo-messaging/core/driver'
import type { KafkaClient } from '../port/client-port.ts'
import type { ImportPackage } from '../port/codecs.ts'
import { createExplainFault, type ExplainFault } from '../port/explain-fault.ts'
import type { ClusterSettings, TlsSettings } from '../settings.ts'
import { KafkaJSAdmin } from './admin.ts'
import { registerCodecs } from './compression.ts'
import { KafkaJSConsumer } from './consumer.ts'
import { KafkaJSProducer } from './producer.ts'
import { ClientPatches } from './patches/client-patches.ts'
import { TopicFaults } from './patches/metadata.ts'
import { correctRequestQueue } from './patches/request-queue.ts'
import { lookForTimeoutsRarely } from './patches/request-timeouts.ts'
import { saslOptions } from './sasl.ts'
import { Sockets } from './sockets.ts'

const CONNECTION_TIMEOUT_MS = 5000
const AUTHENTICATION_TIMEOUT_MS = 10_000
const REQUEST_TIMEOUT_MS = 15_000

/** Everything is spelled out because kafkajs takes other defaults where NODE_ENV is `test`. */
export const SHORT_RETRY = { initialRetryTime: 50, maxRetryTime: 1000, factor: 0.2, multiplier: 2 } as const

/** One client of kafkajs, with what it takes to know what happens inside. */
export interface Connection {
  readonly kafka: Kafka
  readonly sockets: Sockets
  readonly patches: ClientPatches
  readonly topics: TopicFaults
  /** What a broker answered last when it refused a request. */
  readonly lastRefusal: () => string | undefined
  readonly explain: ExplainFault
}

/** The port over kafkajs. Each producer, consumer and admin gets a client of its own: they would share remembered
 *  offsets, and their sockets could not be told apart. */
export function createKafkaJSClient(
  settings: ClusterSettings,
  logger: Logger,
  importCodec?: ImportPackage,
): KafkaClient {
  correctRequestQueue()
  registerCodecs(importCodec)
  const { brokers, aliases } = aliasIPv6(settings.brokers)
  const connect = (): Connection => {
    const sockets = new Sockets(aliases, () => {
      const tls = settings.renewTls()
      return tls === null ? undefined : tlsOptions(tls)
    })
    let refusal: string | undefined
    const config: KafkaConfig = {
      brokers,
      clientId: settings.clientId,
      connectionTimeout: CONNECTION_TIMEOUT_MS,
      authenticationTimeout: AUTHENTICATION_TIMEOUT_MS,
      requestTimeout: REQUEST_TIMEOUT_MS,
      // Enough to try every bootstrap address once; everything beyond is recovery, which the driver owns.
      retry: { ...SHORT_RETRY, retries: brokers.length },
      socketFactory: sockets.open,
      logLevel: logLevel.WARN,
      logCreator: () => (entry) => {
        // The library logs as errors what it then mends; what matters reaches the driver as a fault.
        const { error } = entry.log as { readonly error?: unknown }
        if (typeof error === 'string') refusal = error
        logger.debug(`kafkajs: ${entry.log.message}`, { namespace: entry.namespace, level: entry.label })
      },
    }
    const ssl = settings.tls === null ? undefined : tlsOptions(settings.tls)
    if (ssl !== undefined) config.ssl = ssl
    if (settings.sasl !== null) config.sasl = saslOptions(settings.sasl, settings.credentials)
    const explain = createExplainFault({
      protocol: `${settings.sasl === null ? '' : 'SASL_'}${settings.tls === null ? 'PLAINTEXT' : 'SSL'}`,
      tls: ssl,
      addressOf: (broker) => sockets.addressOf(broker),
    })
    const kafka = new Kafka(config)
    const patches = new ClientPatches(kafka)
    lookForTimeoutsRarely(patches)
    const topics = new TopicFaults(patches)
    return { kafka, sockets, patches, topics, lastRefusal: () => refusal, explain }
  }
  return {
    createProducer: (options) => new KafkaJSProducer(connect(), options),
    createConsumer: (options) => new KafkaJSConsumer(connect(), options),
    createAdmin: () => new KafkaJSAdmin(connect()),
  }
}

function tlsOptions({ ca, ...rest }: TlsSettings): ConnectionOptions {
  return { ...rest, ...(ca === undefined ? {} : { ca: [ca] }) }
}

/** kafkajs splits bootstrap addresses at the first colon, so IPv6 addresses go by a name that only the socket factory
 *  knows. */
function aliasIPv6(addresses: readonly string[]): { brokers: string[]; aliases: ReadonlyMap<string, string> } {
  const aliases = new Map<string, string>()
  const brokers = addresses.map((address, index) => {
    const match = /^\[(.+)\]:(\d+)$/.exec(address)
    if (match === null) return address
    const alias = `ipv6-${index}.invalid`
    aliases.set(alias, match[1] ?? '')
    return `${alias}:${match[2]}`
  })
  return { brokers, aliases }
}
