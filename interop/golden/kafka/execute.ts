import { kafkaDriver } from '@oslo-messaging/kafka'

import { Judge, type Verdict } from '../judge.ts'
import { type Message, numberIds, parseObject } from '../normalize.ts'
import type { PlainRecord } from './bus.ts'
import { type KafkaScene, type KafkaVector, producedIn, subscribedIn } from './scene.ts'

/** Executes one vector: our record beside Python's, and Python's record given to our listener. */
export async function executeKafka(scene: KafkaScene, vector: KafkaVector): Promise<Verdict> {
  const judge = new Judge(vector.file.replace('.json', ''))
  if (subscribedIn(vector).length > 0) await listen(judge, scene, vector)
  else {
    await produce(judge, scene, vector)
    await consume(judge, scene, vector)
  }
  return judge.verdict()
}

async function produce(judge: Judge, scene: KafkaScene, vector: KafkaVector): Promise<void> {
  const wanted = producedIn(vector)
  const prefix = scene.prefix('out', vector)
  const isMine = ({ topic }: PlainRecord): boolean => topic.startsWith(prefix)
  let seen = 0
  if (vector.file.endsWith('-dict-context-head.json')) {
    // The default keeps of a plain context what older releases kept; one setting does what newer ones do.
    await scene.notify(vector)
    const records = await scene.plain.records.atLeast(wanted.length, isMine)
    if (JSON.stringify(factsOf(records, prefix)) !== JSON.stringify(factsOf(wanted, '')))
      judge.excuse('plain-contexts-keep-known-keys')
    seen = records.length
    await scene.notify(vector, 'copy-or-nothing')
  } else await scene.notify(vector)
  const records = await scene.plain.records.atLeast(seen + wanted.length, isMine)
  judge.same('records', factsOf(records.slice(seen), prefix), factsOf(wanted, ''))
}

interface RecordLike {
  readonly topic: string
  readonly key: string | null
  readonly headers: readonly string[] | null
  readonly value: string
}

/** Topic, key, headers, and the layers of the value with their keys in order. */
function factsOf(records: readonly RecordLike[], prefix: string): readonly object[] {
  // Two topics have no order between them.
  const sorted = records.toSorted((one, other) => (one.topic < other.topic ? -1 : 1))
  return numberIds(
    sorted.map(({ topic, key, headers, value }) => {
      const { 'oslo.message': inner, ...outer } = parseObject(value) ?? {}
      const message = JSON.stringify(parseObject(String(inner)))
      return { topic: topic.slice(prefix.length), key, headers: headers ?? [], outer, message }
    }),
  )
}

async function consume(judge: Judge, scene: KafkaScene, vector: KafkaVector): Promise<void> {
  for (const { topic, value } of producedIn(vector)) {
    const text = value.replace(/(\\"message_id\\": \\")/, `$1${scene.prefix('in', vector)}${topic} `)
    await scene.plain.put(scene.prefix('in', vector) + topic, text)
    const message = parseObject(String(parseObject(text)?.['oslo.message'])) ?? {}
    await takenAs(judge, scene, message)
  }
}

/** Our endpoint is given the notification with this message id as Python's would be. */
async function takenAs(judge: Judge, scene: KafkaScene, message: Message): Promise<void> {
  const { message_id, timestamp, publisher_id, event_type, payload, priority, _context } = message
  const [taken] = await scene.taken.atLeast(1, ({ args }) => (args[4] as Message)['message_id'] === message_id)
  const args = [_context, publisher_id, event_type, payload, { message_id, timestamp }]
  judge.same('what the endpoint is given', taken, { priority: String(priority).toLowerCase(), args })
}

async function listen(judge: Judge, scene: KafkaScene, vector: KafkaVector): Promise<void> {
  const [wanted] = subscribedIn(vector)
  const [topic = ''] = wanted?.topics ?? []
  const [, vhost = ''] = /\/\/[^/]*\/(.*)$/.exec(vector.api.url) ?? []
  const prefix = scene.prefix('in', vector)
  const all = await scene.plain.subscriptionsOf(scene.groupOf(vhost))
  const subscribed = all.filter((name) => name.startsWith(prefix) && name.includes('.info'))
  const names = subscribed.map((name) => name.slice(prefix.length)).toSorted()
  if (vhost === '') judge.same('topics', names, [topic])
  else {
    judge.excuse('kafka-listens-in-its-virtual-host')
    judge.same('topics', names, [`${topic}.${vhost}`])
  }
  judge.same('default group', kafkaDriver.config?.options['consumer_group']?.default, wanted?.group)
  const { received } = vector.api
  if (received === null || received === undefined) return
  const [_context, publisher_id, event_type, payload, metadata] = received
  const message = { ...metadata, publisher_id, event_type, priority: 'INFO', payload, _context }
  await scene.plain.put(
    prefix + topic,
    JSON.stringify({ 'oslo.version': '2.0', 'oslo.message': JSON.stringify(message) }),
  )
  await takenAs(judge, scene, message)
}
