import { Kafka, logLevel } from 'kafkajs'

/** A client of kafkajs that talks to nobody. */
export function plainKafka(): Kafka {
  process.env['KAFKAJS_NO_PARTITIONER_WARNING'] = '1'
  return new Kafka({ brokers: ['127.0.0.1:1'], logLevel: logLevel.NOTHING })
}
