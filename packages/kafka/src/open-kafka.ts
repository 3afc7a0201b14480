import type { Driver, DriverContext, TransportURL } from '@oslo-messaging/core/driver'
import { type ImportPackage, loadCodec } from './codecs.ts'
import type { KafkaOptions } from './config.ts'
import { KafkaDriver } from './kafka-driver.ts'
import { createKafkaJSClient } from './kafkajs/client.ts'
import { type OAuthBearerTokenProvider, readSettings } from './settings.ts'

/** Puts the driver together: settings, codec, client. Connects to nothing.
 *  Rejects: ConfigurationError from the settings, DriverLoadFailure when the codec's package is missing. */
export async function openKafka(
  url: TransportURL,
  context: DriverContext<KafkaOptions>,
  extras: { readonly oauthBearerToken?: OAuthBearerTokenProvider; readonly importCodec?: ImportPackage },
): Promise<Driver> {
  const settings = readSettings(url, context, extras.oauthBearerToken)
  if (settings.codec !== 'none' && settings.codec !== 'gzip') await loadCodec(settings.codec, extras.importCodec)
  return new KafkaDriver(settings, createKafkaJSClient(settings.cluster, context.logger, extras.importCodec), context)
}
