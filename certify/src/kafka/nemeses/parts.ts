import type { Recorder } from '../../frame/recorder.ts'
import type { Senders } from '../../load/senders.ts'
import type { BusPlace } from '../bus.ts'
import type { KafkaCluster } from '../cluster.ts'
import type { Reader } from '../readers.ts'
import type { TestedTopic } from '../topics.ts'

/** What nemeses have their hands on. */
export interface NemesisParts {
  readonly cluster: KafkaCluster
  readonly place: BusPlace
  readonly senders: Senders
  readonly readers: readonly Reader[]
  readonly recorder: Recorder
  /** One notification through the producer under test, with so much text beside its number. */
  readonly notify: (topic: TestedTopic, message: number, pad?: string) => Promise<void>
}
