import { readFileSync } from 'node:fs'
import { formatTopicName } from '../../src/topology/topic-name.ts'

interface Vector {
  readonly cases: readonly {
    readonly topic: string
    readonly priority: string | null
    readonly vhost: string | null
    readonly kafka_topic: string
  }[]
}

const vector = JSON.parse(
  readFileSync(new URL('../../../../interop/vectors/unit-kafka-topics.json', import.meta.url), 'utf8'),
) as Vector

/** Names of topics as Python computes them. */
export const topicRows = vector.cases.map(({ topic, priority, vhost, kafka_topic: python }) => ({
  title: `${topic} ${priority} ${vhost} is ${python}`,
  compute: (): unknown => formatTopicName(topic, priority, vhost),
  python,
}))
