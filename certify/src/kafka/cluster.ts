import { type FaultProxy, type KafkaBroker, startBroker } from '@oslo-messaging/brokers'
import { until } from '../load/until.ts'
import { KafkaAdmin } from './admin.ts'

const USER = 'app'
const PASSWORD = 'certified'
const WHOLE_MS = 90_000

/** Three brokers. The program under test logs in as `app`, through a proxy in front of each node; everybody else comes
 *  in directly and may do anything. */
export class KafkaCluster implements AsyncDisposable {
  readonly broker: KafkaBroker
  /** One for each node, in their order. */
  readonly proxies: readonly FaultProxy[]
  readonly admin: KafkaAdmin

  private constructor(broker: KafkaBroker, proxies: readonly FaultProxy[]) {
    this.broker = broker
    this.proxies = proxies
    this.admin = new KafkaAdmin(broker.hosts.map(({ host, port }) => `${host}:${port}`))
  }

  static async start(version: string | undefined): Promise<KafkaCluster> {
    const broker = await startBroker('kafka', {
      nodes: 3,
      ...(version === undefined ? {} : { version }),
      config: {
        'listener.security.protocol.map': 'PLAINTEXT:PLAINTEXT,PROXIED:SASL_PLAINTEXT,CONTROLLER:PLAINTEXT',
        'sasl.enabled.mechanisms': 'PLAIN',
        'listener.name.proxied.plain.sasl.jaas.config': `org.apache.kafka.common.security.plain.PlainLoginModule required user_${USER}="${PASSWORD}";`,
        'authorizer.class.name': 'org.apache.kafka.metadata.authorizer.StandardAuthorizer',
        'super.users': 'User:ANONYMOUS',
        // A topic belongs to everybody until a rule gives it to somebody.
        'allow.everyone.if.no.acl.found': 'true',
        // Leaders move when a nemesis moves them, and not by themselves some time later.
        'auto.leader.rebalance.enable': 'false',
        'auto.create.topics.enable': 'false',
        'group.max.session.timeout.ms': '1800000',
      },
    })
    try {
      return new KafkaCluster(broker, await Promise.all(broker.nodes.map((_, node) => broker.proxy(node))))
    } catch (error) {
      await broker.close()
      throw error
    }
  }

  /** For the program under test. */
  get url(): string {
    return this.broker.urlFor({ via: this.proxies, user: USER, password: PASSWORD })
  }

  /** Resolves when all nodes answer and every replica of every partition is in sync. */
  async whole(): Promise<void> {
    const count = this.broker.nodes.length
    await until(
      async () => {
        const views = await this.admin.describeEach()
        const ill = views.flatMap(({ partitions }) =>
          partitions.filter(({ leader, isr, replicas }) => leader < 1 || isr.length < replicas.length),
        )
        const isWhole = views.length === count && views.every(({ brokers }) => brokers === count) && ill.length === 0
        if (isWhole) return true
        throw new Error(`${views.length} of ${count} nodes answer, ${ill.length} partitions are not in sync`)
      },
      'the cluster whole again',
      WHOLE_MS,
    )
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.admin.close()
    await this.broker.close()
  }
}
