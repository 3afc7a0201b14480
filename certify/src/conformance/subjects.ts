import { artemis, brokerJ, rabbitmq } from './amqp.ts'
import type { Bench } from './bench.ts'
import { kafka, PLATFORMATIC } from './kafka.ts'
import { memory } from './memory.ts'
import { nats } from './nats.ts'
import { rabbit } from './rabbit.ts'
import { redis } from './redis.ts'

/** What `npm run conformance` knows, by the name that it and the files have. */
export const subjects: Readonly<Record<string, (title: string) => Bench | Promise<Bench>>> = {
  memory,
  'rabbit-3.10': (title) => rabbit(title, '3.10'),
  'rabbit-4.0': (title) => rabbit(title, '4.0'),
  'rabbit-4.3': (title) => rabbit(title, '4.3'),
  'amqp-artemis': (title) => artemis(title),
  'amqp-rabbitmq-4.3': (title) => rabbitmq(title, '4.3'),
  'amqp-broker-j': brokerJ,
  'kafka-3.9': (title) => kafka(title, '3.9'),
  'kafka-4.4': (title) => kafka(title, '4.4'),
  'kafka-4.4-platformatic': (title) => kafka(title, '4.4', PLATFORMATIC),
  'nats-2.9': (title) => nats(title, '2.9'),
  'nats-2.10': (title) => nats(title, '2.10'),
  'redis-7.0': (title) => redis(title, '7.0'),
  'redis-8.0': (title) => redis(title, '8.0'),
}
