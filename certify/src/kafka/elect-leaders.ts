import { askKafka } from './raw.ts'

const ELECT_LEADERS = 43
/** Preferred election (0) of all partitions (null), within 3 s. */
const BODY = Buffer.from([0, 0xff, 0xff, 0xff, 0xff, 0, 0, 0x0b, 0xb8])

/** Asks a node to elect the preferred leader of every partition, which kafkajs cannot. Resolves to whether it answered:
 *  only the controller heeds it. */
export async function electPreferredLeaders(broker: string): Promise<boolean> {
  return await askKafka(broker, ELECT_LEADERS, 1, BODY).then(
    () => true,
    () => false,
  )
}
