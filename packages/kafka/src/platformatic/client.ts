import type { KafkaClient } from '../port/client-port.ts'
import { createCodecs, type ImportPackage } from '../port/codecs.ts'
import type { ClusterSettings } from '../settings.ts'
import { PlatformaticAdmin } from './admin.ts'
import { Cluster } from './cluster.ts'
import { PlatformaticConsumer } from './consumer.ts'
import { type Library, loadLibrary } from './library.ts'
import { PlatformaticProducer } from './producer.ts'

export { loadLibrary }

/** The port over the connections and requests of @platformatic/kafka. Its own producer, consumer and retries are not
 *  used: batches are written and read here for every client, and the driver owns recovery. */
export function createPlatformaticClient(
  library: Library,
  settings: ClusterSettings,
  importCodec?: ImportPackage,
): KafkaClient {
  const codecs = createCodecs(importCodec)
  const cluster = (): Cluster => new Cluster(library, settings)
  return {
    createProducer: (options) => new PlatformaticProducer(cluster(), codecs, options),
    createConsumer: (options) => new PlatformaticConsumer(cluster(), codecs, options),
    createAdmin: () => new PlatformaticAdmin(cluster()),
  }
}
