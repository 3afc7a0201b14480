import { importSecondKafkaClient, type KafkaBroker, SECOND_KAFKA_CLIENT, startBroker } from '@oslo-messaging/brokers'
import type { Versioned } from '@oslo-messaging/conformance/results'
import { createKafkaDriver, kafkaDriver } from '@oslo-messaging/kafka'
import kafkajs, { type Admin, type Kafka as Client } from 'kafkajs'
import { atBroker, type Bench, open } from './bench.ts'
import { pythonPeer } from './python-peer.ts'

const { AclOperationTypes, AclPermissionTypes, AclResourceTypes, Kafka, logLevel, ResourcePatternTypes } = kafkajs

/** What differs from client library to client library. */
export interface KafkaClientUnderTest {
  /** Beside the driver, by its name, or elsewhere. */
  readonly library: string | Versioned
  readonly definition: typeof kafkaDriver
}

/** Options that make recovery short, as tests of recovery have them: a listener that is closed while its broker is away
 *  cannot leave its group, which waits for it as long as this before anybody else gets a place. */
const QUICK = { kafka_session_timeout: 6 }

/** Everybody may do everything until a rule says otherwise. Nodes of several would not speak to each other before they
 *  have read the rules. */
const RULES = {
  'authorizer.class.name': 'org.apache.kafka.metadata.authorizer.StandardAuthorizer',
  'allow.everyone.if.no.acl.found': 'true',
}
const NOBODY_MAY = {
  resourceType: AclResourceTypes.TOPIC,
  resourceName: '*',
  resourcePatternType: ResourcePatternTypes.LITERAL,
  principal: 'User:*',
  host: '*',
  operation: AclOperationTypes.ALL,
  permissionType: AclPermissionTypes.DENY,
}

const KAFKAJS: KafkaClientUnderTest = { library: 'kafkajs', definition: kafkaDriver }

export const PLATFORMATIC: KafkaClientUnderTest = {
  library: SECOND_KAFKA_CLIENT,
  definition: createKafkaDriver({ client: 'platformatic', importClient: importSecondKafkaClient }),
}

export async function kafka(
  title: string,
  version: string,
  client: KafkaClientUnderTest = KAFKAJS,
  nodes = 1,
): Promise<Bench> {
  const { library, definition } = client
  const broker = await startBroker('kafka', { version, nodes, ...(nodes === 1 ? { config: RULES } : {}) })
  const python = pythonPeer({
    library: 'newest',
    url: broker.url,
    createTopics: (names) => broker.createTopics(names),
  })
  return await atBroker(title, {
    broker,
    driver: '@oslo-messaging/kafka',
    library,
    definition,
    createDriver:
      (proxies) =>
      ({ vhost }) =>
        open(definition, broker.urlFor({ via: proxies, ...(vhost === undefined ? {} : { vhost }) }), QUICK),
    revoke: async () => {
      await asked(broker, (admin) => admin.createAcls({ acl: [NOBODY_MAY] }))
      return async () => void (await asked(broker, (admin) => admin.deleteAcls({ filters: [NOBODY_MAY] })))
    },
    ...(nodes === 1 ? { cluster: () => kafka(title, version, client, 3) } : {}),
    close: python.close,
    knobs: {
      vhosts: ['one', 'two'],
      peer: python.peer,
      makeUnreadable: ({ topic, priority, text }) => store(broker, `${topic}.${priority}`, text),
      secret: { definition, url: (password) => broker.urlFor({ user: 'nobody', password }) },
      // A record may have 1 MB (message.max.bytes); the driver holds 100,000 of them, and as many wait for room as is
      // said to be refused.
      load: { bytes: 900_000, unbounded: 120_000 },
      levers: { restart: () => broker.restart() },
      reasons: {
        'lever block': 'it never blocks: it answers late, or refuses',
      },
    },
  })
}

async function store(broker: KafkaBroker, topic: string, value: string): Promise<void> {
  const producer = clientOf(broker).producer()
  await producer.connect()
  try {
    await producer.send({ topic, messages: [{ value }] })
  } finally {
    await producer.disconnect()
  }
}

async function asked<T>(broker: KafkaBroker, work: (admin: Admin) => Promise<T>): Promise<T> {
  const admin = clientOf(broker).admin()
  await admin.connect()
  try {
    return await work(admin)
  } finally {
    await admin.disconnect()
  }
}

function clientOf({ hosts }: KafkaBroker): Client {
  return new Kafka({ brokers: hosts.map(({ host, port }) => `${host}:${port}`), logLevel: logLevel.NOTHING })
}
