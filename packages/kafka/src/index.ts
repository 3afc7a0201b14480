import type { DriverDefinition } from '@oslo-messaging/core/driver'
import { loadCodec } from './codecs.ts'
import { type KafkaOptions, kafkaConfig } from './config.ts'
import { capabilities, KafkaDriver } from './kafka-driver.ts'
import { createKafkaJSClient } from './kafkajs/client.ts'
import { type OAuthBearerToken, type OAuthBearerTokenProvider, readSettings } from './settings.ts'

export type { KafkaOptions, OAuthBearerToken, OAuthBearerTokenProvider }

export interface KafkaDriverOptions {
  /** Gives access tokens for `sasl_mechanism = OAUTHBEARER`. Asked when a connection authenticates and again before its session ends. */
  readonly oauthBearerToken?: OAuthBearerTokenProvider
}

/** A Kafka driver with what a configuration file cannot say. Register it by value: `createDriverRegistry({ drivers: [createKafkaDriver({ ... })] })`. */
export function createKafkaDriver(options: KafkaDriverOptions = {}): DriverDefinition<KafkaOptions> {
  return {
    name: 'kafka',
    schemes: ['kafka'],
    capabilities,
    config: kafkaConfig,
    async open(url, context) {
      const settings = readSettings(url, context, options.oauthBearerToken)
      if (settings.codec !== 'none' && settings.codec !== 'gzip') await loadCodec(settings.codec)
      return new KafkaDriver(settings, createKafkaJSClient(settings.cluster, context.logger), context)
    },
  }
}

/** Notifications over Apache Kafka: `kafka://`. */
export const kafkaDriver: DriverDefinition<KafkaOptions> = createKafkaDriver()

export default kafkaDriver
