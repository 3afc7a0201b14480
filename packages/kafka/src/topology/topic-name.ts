import { InvalidTarget, Target } from '@oslo-messaging/core/driver'

/** Where notifiers send and where listeners look when the URL has a virtual host. Argued in
 *  docs/adr/0007-kafka-vhost-mode.md.
 *
 *  | mode     | notifier sends to              | listener reads                                   |
 *  |----------|--------------------------------|--------------------------------------------------|
 *  | `append` | `<topic>.<priority>.<vhost>`   | `<topic>.<priority>.<vhost>`                     |
 *  | `both`   | `<topic>.<priority>.<vhost>`   | `<topic>.<priority>.<vhost>`, `<topic>.<priority>` |
 *  | `compat` | `<topic>.<priority>`           | `<topic>.<priority>.<vhost>`, `<topic>.<priority>` |
 *
 *  Without a virtual host the three are the same. Python's notifier sends as `append` does, its listener reads
 *  `<topic>.<priority>` only. */
export type VhostMode = 'append' | 'both' | 'compat'

/** `<topic>[.<priority>][.<vhost>]`; an empty virtual host is none. Source: target_to_topic in impl_kafka.py. */
export function formatTopicName(topic: string, priority: string | null, vhost: string | null): string {
  const name = priority === null || priority === '' ? topic : `${topic}.${priority}`
  return vhost === null || vhost === '' ? name : `${name}.${vhost}`
}

/** The Kafka topic a notification goes to; `topic` already ends in the priority. */
export function topicToSend(topic: string, vhost: string | null, mode: VhostMode): string {
  return formatTopicName(topic, null, mode === 'compat' ? null : vhost)
}

/** The Kafka topics a listener of one topic and priority reads. */
export function topicsToRead(
  topic: string,
  priority: string,
  vhost: string | null,
  mode: VhostMode,
): readonly string[] {
  const plain = formatTopicName(topic, priority, null)
  const own = formatTopicName(topic, priority, vhost)
  return mode === 'append' || own === plain ? [own] : [own, plain]
}

const LEGAL_TOPIC = /^[a-zA-Z0-9._-]{1,249}$/
/** What Kafka takes, in words. */
export const TOPIC_NAMES = 'use at most 249 letters, digits, dots, underscores and hyphens'

export function isTopicName(name: string): boolean {
  return LEGAL_TOPIC.test(name) && name !== '.' && name !== '..'
}

/** Refuses a name that no Kafka broker takes, before anything is sent. */
export function checkTopicName(name: string): void {
  if (isTopicName(name)) return
  throw new InvalidTarget(
    `The Kafka topic ${JSON.stringify(name)} is made of the target's topic, the priority and the URL's virtual host: ${TOPIC_NAMES}`,
    new Target({ topic: name }),
    { delivery: 'not-sent', phase: 'publish' },
  )
}
