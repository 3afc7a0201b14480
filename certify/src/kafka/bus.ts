import {
  createDriverRegistry,
  getNotificationTransport,
  loadConfig,
  type Logger,
  type NotificationTransport,
} from '@oslo-messaging/core'
import { kafkaDriver } from '@oslo-messaging/kafka'

export type CommitMode = 'before' | 'after'

/** A transport as an application has it. */
export async function openBus(url: string, commit: CommitMode, logger: Logger): Promise<NotificationTransport> {
  const conf = await loadConfig({
    overrides: {
      oslo_messaging_kafka: {
        security_protocol: 'SASL_PLAINTEXT',
        sasl_mechanism: 'PLAIN',
        auto_offset_reset: 'earliest',
        kafka_commit_mode: commit,
      },
    },
  })
  const registry = createDriverRegistry({ drivers: [kafkaDriver] })
  return await getNotificationTransport(conf, { url, registry, logger, program: 'certify' })
}
