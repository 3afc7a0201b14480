import { importSecondKafkaClient } from '@oslo-messaging/brokers'
import {
  createDriverRegistry,
  getNotificationTransport,
  loadConfig,
  type Logger,
  type NotificationTransport,
} from '@oslo-messaging/core'
import { type ClientName, createKafkaDriver } from '@oslo-messaging/kafka'
import { UsageError } from '../usage-error.ts'

export type CommitMode = 'before' | 'after'

/** Where buses go, and the client library that they use. */
export interface BusPlace {
  readonly url: string
  readonly client: ClientName
}

const CLIENTS: readonly ClientName[] = ['kafkajs', 'platformatic']

/** The client library of `--client`. Throws UsageError for one that there is not. */
export function clientOf(name: string = 'kafkajs'): ClientName {
  const client = CLIENTS.find((each) => each === name)
  if (client === undefined) throw new UsageError(`--client is one of ${CLIENTS.join(', ')}`)
  return client
}

/** A transport as an application has it. */
export async function openBus(
  { url, client }: BusPlace,
  commit: CommitMode,
  logger: Logger,
): Promise<NotificationTransport> {
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
  const registry = createDriverRegistry({
    drivers: [createKafkaDriver({ client, importClient: importSecondKafkaClient })],
  })
  return await getNotificationTransport(conf, { url, registry, logger, program: 'certify' })
}
