import type { Driver, DriverAdmin, DriverContext, TransportURL } from '@oslo-messaging/core/driver'
import { KafkaAdmin } from './admin/kafka-admin.ts'
import type { KafkaClient } from './port/client-port.ts'
import { type ImportPackage, loadCodec } from './port/codecs.ts'
import type { ClientName } from './settings.ts'
import type { KafkaOptions } from './config.ts'
import { KafkaDriver } from './driver.ts'
import { createKafkaJSClient } from './kafkajs/client.ts'
import { type KafkaSettings, type OAuthBearerTokenProvider, readSettings } from './settings.ts'

/** Puts the driver together: settings, codec, client. Connects to nothing.
 *  Rejects: ConfigurationError from the settings, DriverLoadFailure when the package of the codec or of the client is
 *  missing. */
export async function openKafka(
  url: TransportURL,
  context: DriverContext<KafkaOptions>,
  extras: KafkaExtras,
): Promise<Driver> {
  const { settings, client } = await prepare(url, context, extras)
  return new KafkaDriver(settings, client, context)
}

/** The same for operators. */
export async function administerKafka(
  url: TransportURL,
  context: DriverContext<KafkaOptions>,
  extras: KafkaExtras,
): Promise<DriverAdmin> {
  const { settings, client } = await prepare(url, context, extras)
  return new KafkaAdmin(settings, client, context)
}

interface KafkaExtras {
  readonly oauthBearerToken?: OAuthBearerTokenProvider
  readonly importCodec?: ImportPackage
  readonly client?: ClientName
  readonly importClient?: ImportPackage
}

async function prepare(
  url: TransportURL,
  context: DriverContext<KafkaOptions>,
  { oauthBearerToken, importCodec, client = 'kafkajs', importClient }: KafkaExtras,
): Promise<{ readonly settings: KafkaSettings; readonly client: KafkaClient }> {
  const settings = readSettings(url, context, oauthBearerToken)
  if (settings.codec !== 'none' && settings.codec !== 'gzip') await loadCodec(settings.codec, importCodec)
  if (client === 'kafkajs')
    return { settings, client: createKafkaJSClient(settings.cluster, context.logger, importCodec) }
  const { createPlatformaticClient, loadLibrary } = await import('./platformatic/client.ts')
  const library = await loadLibrary({ importPackage: importClient })
  return { settings, client: createPlatformaticClient(library, settings.cluster, importCodec) }
}
