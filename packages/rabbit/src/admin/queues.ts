import type { QueueReport } from '@oslo-messaging/core/driver'
import { judgeQueue, type QueueFacts } from './queue-judgement.ts'
import { askManagement, type ManagementPlace } from './management-api.ts'

/** What is asked of each queue; the rest of the answer is large. */
const COLUMNS = 'name,messages,message_bytes,consumers,exclusive,arguments'

interface QueueAnswer {
  readonly name: string
  readonly messages?: number
  readonly message_bytes?: number
  readonly consumers?: number
  readonly exclusive?: boolean
  readonly arguments?: Readonly<Record<string, unknown>>
}

interface BindingAnswer {
  readonly source: string
  readonly destination: string
  readonly destination_type: string
  readonly routing_key: string
}

/** Every queue of the virtual host with what it holds, and whether anybody is ever going to read it. */
export async function listQueues(place: ManagementPlace): Promise<readonly QueueReport[]> {
  const vhost = encodeURIComponent(place.virtualHost)
  const management = await askManagement(place)
  const queues = (await management.ask(`/api/queues/${vhost}?columns=${COLUMNS}`)) as readonly QueueAnswer[]
  const bindings = (await management.ask(`/api/bindings/${vhost}`)) as readonly BindingAnswer[]
  const keys = new Map<string, string[]>()
  for (const { source, destination, destination_type: kind, routing_key: key } of bindings) {
    // Every queue is bound to the default exchange by its own name, which says nothing.
    if (kind === 'queue' && source !== '') keys.set(destination, [...(keys.get(destination) ?? []), key])
  }
  return queues.map((queue) => {
    const facts: QueueFacts = {
      name: queue.name,
      messages: queue.messages ?? 0,
      bytes: queue.message_bytes ?? null,
      consumers: queue.consumers ?? 0,
      exclusive: queue.exclusive === true,
      expiresMs: typeof queue.arguments?.['x-expires'] === 'number' ? queue.arguments['x-expires'] : null,
      bindingKeys: keys.get(queue.name) ?? [],
    }
    const { name, messages, bytes, consumers } = facts
    return { name, messages, bytes, consumers, ...judgeQueue(facts) }
  })
}
