import type { QueueReport } from '@oslo-messaging/core/driver'
import { askManagement, type ManagementPlace } from './management-api.ts'

/** What is asked of each queue; the rest of the answer is large. */
const COLUMNS = 'name,messages,message_bytes,consumers,exclusive,arguments,message_stats'

interface QueueAnswer {
  readonly name: string
  readonly messages?: number
  readonly message_bytes?: number
  readonly consumers?: number
  readonly exclusive?: boolean
  readonly arguments?: Readonly<Record<string, unknown>>
  readonly message_stats?: {
    readonly publish_details?: { readonly rate?: number }
    readonly deliver_get_details?: { readonly rate?: number }
  }
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
    return { name, messages, bytes, consumers, ...judgeQueue(facts), ...ratesOf(queue) }
  })
}

/** Nothing was ever counted of a queue without statistics. */
function ratesOf({ message_stats: counted }: QueueAnswer): Pick<QueueReport, 'rates'> {
  if (counted === undefined) return {}
  return { rates: { in: counted.publish_details?.rate ?? 0, out: counted.deliver_get_details?.rate ?? 0 } }
}

/** What is known of a queue before it is judged. */
export interface QueueFacts extends Pick<QueueReport, 'name' | 'messages' | 'bytes' | 'consumers'> {
  readonly exclusive: boolean
  /** `x-expires`: how long it stays without use, milliseconds. */
  readonly expiresMs: number | null
  /** Of exchanges other than the default one. */
  readonly bindingKeys: readonly string[]
}

type Judgement = Pick<QueueReport, 'orphan' | 'why'>

/** The last part of the routing key of a notification. */
const PRIORITY = /\.(audit|debug|info|warn|error|critical|sample)$/
const ORPHAN = true

/** Whether a queue has lost its reader, and why it is thought so. First match counts. */
export function judgeQueue(queue: QueueFacts): Judgement {
  const { name, messages, consumers, exclusive, bindingKeys } = queue
  const judge = (orphan: boolean, why: string): Judgement => ({ orphan, why })
  if (consumers > 0) return { orphan: false, why: null }
  if (exclusive) return judge(!ORPHAN, 'goes with the connection that made it')
  if (name.endsWith('.dead')) return judge(!ORPHAN, 'dead letters: oslo-msg redrive returns them')
  if (/\.retry\.\d+$/.test(name)) return judge(!ORPHAN, 'copies that wait for their next attempt return by themselves')
  if (name.startsWith('reply_')) return judge(ORPHAN, `replies to a client that is gone; ${fate(queue)}`)
  if (/_fanout(_|$)/.test(name))
    return judge(ORPHAN, `a server's copy of fanout casts, and the server is gone; ${fate(queue)}`)
  const keys = bindingKeys.filter((key) => PRIORITY.test(key))
  if (keys.some((key) => key !== name))
    return judge(
      ORPHAN,
      `a pool nobody listens to: every notification of ${listed(keys)} is kept for it; ${fate(queue)}`,
    )
  if (keys.length > 0 || PRIORITY.test(name))
    return judge(ORPHAN, `notifications nobody listens to are kept here; ${fate(queue)}`)
  if (messages > 0) return judge(ORPHAN, `holds messages and nobody reads them; ${fate(queue)}`)
  return judge(!ORPHAN, 'nobody reads it, and it is empty')
}

function fate({ expiresMs }: QueueFacts): string {
  return expiresMs === null
    ? 'it stays until somebody deletes it'
    : `the broker deletes it after ${Math.round(expiresMs / 1000)} s without use`
}

/** The first few, so that a pool over many topics stays one line. */
function listed(keys: readonly string[]): string {
  const shown = keys.toSorted().slice(0, 3).join(', ')
  return keys.length > 3 ? `${shown} and ${keys.length - 3} more` : shown
}
