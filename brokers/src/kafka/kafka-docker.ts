import { ContainerNode } from '../docker.ts'
import { freePorts } from '../ports.ts'
import { Workspace } from '../workspace.ts'
import { CLUSTER_ID, KAFKA_URL, KafkaBroker, type KafkaOptions, kafkaVersion } from './kafka-broker.ts'
import { metadata } from './protocol.ts'
import { serverSettings } from './server-properties.ts'

/** One Kafka node in a container of the official image. A cluster is started from jars, see start.ts. */
export async function startKafkaInDocker(options: KafkaOptions = {}): Promise<KafkaBroker> {
  const version = kafkaVersion(options.version)
  const workspace = await Workspace.create('kafka')
  const [plain = 0, controller = 0, proxied = 0, advertised = 0] = await freePorts(4)
  const own = { plain, controller, proxied, advertised }
  const settings = serverSettings({
    id: 1,
    own,
    all: [own],
    data: '/var/lib/kafka/data',
    // Docker leads the published ports to the container's own address.
    bind: '0.0.0.0',
    extra: options.config ?? {},
  })
  const node = await ContainerNode.create({
    broker: 'kafka',
    image: `apache/kafka:${version}`,
    workspace,
    host: '127.0.0.1',
    port: plain,
    publish: [`${plain}:${plain}`, `${proxied}:${proxied}`],
    env: {
      CLUSTER_ID,
      ...Object.fromEntries(Object.entries(settings).map(([key, value]) => [imageVariable(key), value])),
    },
    answers: async () => ((await metadata({ host: '127.0.0.1', port: plain }))?.brokers.length ?? 0) >= 1,
  })
  const dispose = async (): Promise<void> => {
    await node.remove()
    await workspace.close()
  }
  const broker = new KafkaBroker({ name: 'kafka', version, source: 'docker', nodes: [node], url: KAFKA_URL, dispose }, [
    own,
  ])
  try {
    await broker.start()
    return broker
  } catch (error) {
    await broker.close()
    throw error
  }
}

/** The image reads `a.b-c_d` of server.properties from KAFKA_A_B___C__D. */
export function imageVariable(property: string): string {
  const name = property.replaceAll('_', '__').replaceAll('-', '___').replaceAll('.', '_')
  return `KAFKA_${name.toUpperCase()}`
}
