import type { Logger } from '@oslo-messaging/core/driver'
import type { KafkaClient } from '../port/client-port.ts'
import { formatTopicName, type VhostMode } from '../topology/topic-name.ts'

/** The names that notifiers of `compat` and notifiers without a virtual host send to, by the name that a listener reads
 *  instead. Empty where the listener reads both, or where they are the same. */
export function unreadNames(
  sources: readonly { readonly topic: string; readonly priority: string }[],
  vhost: string | null,
  mode: VhostMode,
): ReadonlyMap<string, string> {
  if (vhost === null || vhost === '' || mode !== 'append') return new Map()
  return new Map(
    sources.map(({ topic, priority }) => [
      formatTopicName(topic, priority, vhost),
      formatTopicName(topic, priority, null),
    ]),
  )
}

/** Looks whether notifications go past a listener whose own topic does not exist: the one sign of notifiers and
 *  listeners that cannot meet that a single process can see. Never rejects. */
export async function warnOfUnreadTopics(
  client: KafkaClient,
  missing: readonly string[],
  unread: ReadonlyMap<string, string>,
  logger: Logger,
): Promise<void> {
  const candidates = missing.filter((topic) => unread.has(topic))
  if (candidates.length === 0) return
  const admin = client.createAdmin()
  try {
    await admin.connect()
    for (const topic of candidates) {
      const plain = unread.get(topic) ?? ''
      const parts = await admin.bounds(plain).catch(() => [])
      const stored = parts.reduce((sum, { low, high }) => sum + high - low, 0)
      if (stored > 0) {
        logger.warn(
          'kafka topic with the virtual host does not exist, and the one without it is in use: this listener would not meet notifiers that leave the virtual host out; set [oslo_messaging_kafka] kafka_vhost_mode = both to read the two, or append on the notifiers',
          { topic, unread: plain, stored },
        )
      }
    }
  } catch (error) {
    // Advice only: the listener itself meets the same fault, and says so.
    logger.debug('kafka topics without the virtual host could not be looked at', { error })
  } finally {
    await admin.disconnect()
  }
}
