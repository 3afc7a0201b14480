import { importSecondKafkaClient } from '@oslo-messaging/brokers'
import type { Logger } from '@oslo-messaging/core/driver'
import { createKafkaJSClient } from '../../src/kafkajs/client.ts'
import { createPlatformaticClient, loadLibrary } from '../../src/platformatic/client.ts'
import type { KafkaClient } from '../../src/port/client-port.ts'
import type { ClientName, ClusterSettings } from '../../src/settings.ts'

/** The client library of this run: `KAFKA_CLIENT=platformatic` runs every suite over the second one. */
export const CLIENT: ClientName = process.env['KAFKA_CLIENT'] === 'platformatic' ? 'platformatic' : 'kafkajs'

/** The port over that library. */
export async function createClient(settings: ClusterSettings, logger: Logger): Promise<KafkaClient> {
  if (CLIENT === 'kafkajs') return createKafkaJSClient(settings, logger)
  return createPlatformaticClient(await loadLibrary({ importPackage: importSecondKafkaClient }), settings)
}
