import { importSecondKafkaClient, type KafkaBroker, SECOND_KAFKA_CLIENT, startBroker } from '@oslo-messaging/brokers'
import type { Versioned } from '@oslo-messaging/conformance/results'
import { createKafkaDriver, kafkaDriver } from '@oslo-messaging/kafka'
import { Kafka, logLevel } from 'kafkajs'
import { atBroker, type Bench, open } from './bench.ts'
import { pythonPeer } from './python-peer.ts'

/** What differs from client library to client library. */
export interface KafkaClientUnderTest {
  /** Beside the driver, by its name, or elsewhere. */
  readonly library: string | Versioned
  readonly definition: typeof kafkaDriver
}

/** Options that make recovery short, as tests of recovery have them: a listener that is closed while its broker is away
 *  cannot leave its group, which waits for it as long as this before anybody else gets a place. */
const QUICK = { kafka_session_timeout: 6 }

const KAFKAJS: KafkaClientUnderTest = { library: 'kafkajs', definition: kafkaDriver }

export const PLATFORMATIC: KafkaClientUnderTest = {
  library: SECOND_KAFKA_CLIENT,
  definition: createKafkaDriver({ client: 'platformatic', importClient: importSecondKafkaClient }),
}

export async function kafka(
  title: string,
  version: string,
  { library, definition }: KafkaClientUnderTest = KAFKAJS,
): Promise<Bench> {
  const broker = await startBroker('kafka', { version })
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
        'lever revoke': 'a listener that is refused what it was allowed is tried again, so nothing is lost for good',
        'lever killNode': 'one node; npm run certify:kafka kills nodes of three',
      },
    },
  })
}

async function store({ hosts }: KafkaBroker, topic: string, value: string): Promise<void> {
  const brokers = hosts.map(({ host, port }) => `${host}:${port}`)
  const producer = new Kafka({ brokers, logLevel: logLevel.NOTHING }).producer()
  await producer.connect()
  try {
    await producer.send({ topic, messages: [{ value }] })
  } finally {
    await producer.disconnect()
  }
}
