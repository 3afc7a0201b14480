import { ContainerNode } from '../docker.ts'
import { freePorts } from '../ports.ts'
import { answersAmqp091 } from '../probe.ts'
import { Workspace } from '../workspace.ts'
import { RABBIT_USER, RabbitBroker, type RabbitOptions } from './rabbit-broker.ts'

/** One RabbitMQ node in a container of the official image. A cluster is started from packages, see start.ts. */
export async function startRabbitInDocker(options: RabbitOptions = {}): Promise<RabbitBroker> {
  const version = options.version ?? '3.10'
  const plugins = options.plugins ?? []
  const workspace = await Workspace.create('rabbit')
  const [port = 0, managementPort = 0] = await freePorts(2)
  const lines = Object.entries(options.config ?? {}).map(([key, value]) => `${key} = ${value}\n`)
  const config = await workspace.write('rabbitmq.conf', lines.join(''))
  const enabled = await workspace.write('enabled_plugins', `[${plugins.join(',')}].\n`)
  const node = await ContainerNode.create({
    broker: 'rabbit',
    image: `rabbitmq:${version}`,
    workspace,
    host: '127.0.0.1',
    port,
    publish: [`${port}:5672`, ...(plugins.includes('rabbitmq_management') ? [`${managementPort}:15672`] : [])],
    hostname: 'localhost',
    env: {},
    files: { [config]: '/etc/rabbitmq/conf.d/90-test.conf', [enabled]: '/etc/rabbitmq/enabled_plugins' },
    answers: () => answersAmqp091({ host: '127.0.0.1', port }),
  })
  const broker = new RabbitBroker(
    {
      name: 'rabbit',
      version,
      source: 'docker',
      nodes: [node],
      url: RABBIT_USER,
      dispose: async () => {
        await node.remove()
        await workspace.close()
      },
    },
    [{ kind: 'docker', container: node.name }],
    plugins.includes('rabbitmq_management') ? `http://127.0.0.1:${managementPort}` : undefined,
  )
  try {
    await broker.start()
    return broker
  } catch (error) {
    await broker.close()
    throw error
  }
}
