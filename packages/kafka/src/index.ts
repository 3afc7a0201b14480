import {
  checkFunction,
  checkOptions,
  DRIVER_API,
  type DriverDefinition,
  type OptionNames,
} from '@oslo-messaging/core/driver'
import { capabilities } from './capabilities.ts'
import type { ImportPackage } from './port/codecs.ts'
import { type KafkaOptions, kafkaConfig } from './config.ts'
import type { ClientName, OAuthBearerToken, OAuthBearerTokenProvider } from './settings.ts'

export type { ClientName, KafkaOptions, OAuthBearerToken, OAuthBearerTokenProvider }

/** What a configuration file cannot say. */
export interface KafkaDriverOptions {
  /** Gives access tokens for `sasl_mechanism = OAUTHBEARER`. Asked when a connection authenticates and again before its
   *  session ends. */
  readonly oauthBearerToken?: OAuthBearerTokenProvider
  /** Imports the packages of optional codecs, for applications that bundle them. Default: `import(name)`. */
  readonly importCodec?: ImportPackage
  /** The client library. Default: `kafkajs`, which comes with this package; `platformatic` is `@platformatic/kafka`,
   *  which the application installs. */
  readonly client?: ClientName
  /** Imports `@platformatic/kafka`, for applications that bundle it or have it elsewhere. Default: `import(name)`,
   *  after a look at its engines. */
  readonly importClient?: ImportPackage
}

const OPTION_NAMES: OptionNames<KafkaDriverOptions> = {
  oauthBearerToken: true,
  importCodec: true,
  client: true,
  importClient: true,
}
const CLIENTS: ReadonlySet<unknown> = new Set<ClientName | undefined>(['kafkajs', 'platformatic', undefined])

/** A Kafka driver with what a configuration file cannot say. Register it by value: `createDriverRegistry({ drivers:
 *  [createKafkaDriver({ ... })] })`. Throws TypeError when an option is unknown or has no such value. */
export function createKafkaDriver(options: KafkaDriverOptions = {}): DriverDefinition<KafkaOptions> {
  checkOptions('createKafkaDriver', options, OPTION_NAMES)
  checkFunction('oauthBearerToken', options.oauthBearerToken)
  checkFunction('importCodec', options.importCodec)
  checkFunction('importClient', options.importClient)
  if (!CLIENTS.has(options.client))
    throw new TypeError(`createKafkaDriver: client is 'kafkajs' or 'platformatic', not ${String(options.client)}`)
  return {
    name: 'kafka',
    api: DRIVER_API,
    schemes: ['kafka'],
    capabilities,
    config: kafkaConfig,
    // With `kafka_commit_mode = after` this driver has always tried again and then put aside; what core owns wins.
    failureDefaults: ({ kafka_commit_mode, kafka_max_attempts, kafka_dead_letter_topic }) =>
      kafka_commit_mode === 'after'
        ? {
            attempts: kafka_max_attempts,
            backoffMs: 200,
            then: kafka_dead_letter_topic === '' ? 'discard' : 'dead-letter',
          }
        : {},
    async open(url, context) {
      // Only now, so that importing the package does not wait for the client library.
      const { openKafka } = await import('./open.ts')
      return await openKafka(url, context, options)
    },
    async administer(url, context) {
      const { administerKafka } = await import('./open.ts')
      return await administerKafka(url, context, options)
    },
    async planTopology(side, uses) {
      const { planTopology } = await import('./topology/topology-plan.ts')
      return planTopology(side, uses)
    },
  }
}

/** Notifications over Apache Kafka: `kafka://`. */
export const kafkaDriver: DriverDefinition<KafkaOptions> = createKafkaDriver()

export default kafkaDriver
