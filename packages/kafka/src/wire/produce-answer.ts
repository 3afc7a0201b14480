import type { TopicPartition } from '../port/client-port.ts'
import { AnswerReader } from './answer-reader.ts'

/** What became of the batch of one partition; 0: it is stored. */
export interface ProduceOutcome extends TopicPartition {
  readonly errorCode: number
}

/** Reads the answer to a produce request of version 7. Source: Kafka protocol guide, Produce API. */
export function readProduceAnswer(data: Buffer): readonly ProduceOutcome[] {
  const reader = new AnswerReader(data)
  const outcomes: ProduceOutcome[] = []
  for (let topics = reader.int32(); topics > 0; topics -= 1) {
    const topic = reader.text()
    for (let partitions = reader.int32(); partitions > 0; partitions -= 1) {
      outcomes.push({ topic, partition: reader.int32(), errorCode: reader.int16() })
      // Offset, time and log start.
      reader.skip(3 * 8)
    }
  }
  return outcomes
}
