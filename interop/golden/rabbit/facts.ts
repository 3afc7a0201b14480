import { DECLARING, type Step } from './steps.ts'

/** What one side did that its peers can see. */
export interface SideFacts {
  /** Declarations, subscriptions and deletions, in order, as text. */
  readonly declares: readonly string[]
  /** Every message, in order, as text: arguments, properties and message, keys in their order. */
  readonly publishes: readonly string[]
  /** What became of each delivery, in their order. */
  readonly settlements: readonly string[]
}

export function factsOf(steps: readonly Step[]): SideFacts {
  const sent = steps.filter(({ direction }) => direction === 'sent')
  return {
    declares: sent
      .filter(({ method }) => DECLARING.has(method))
      .map(({ method, args }) => `${method} ${sortedText(args)}`),
    publishes: sent.filter(({ method }) => method === 'basic.publish').map(publishText),
    settlements: settlementsOf(steps),
  }
}

/** Arguments and properties have no order on the wire; the keys of a message have one. */
function publishText({ args, properties, message, isEnveloped }: Step): string {
  const format = isEnveloped === true ? 'format 2.0' : 'format 1.0'
  return `publish ${sortedText(args)} ${sortedText(properties ?? {})} ${format} ${JSON.stringify(message)}`
}

export function sortedText(value: object): string {
  return JSON.stringify(value, (_key, inner: unknown) =>
    typeof inner === 'object' && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).toSorted(([one], [other]) => (one < other ? -1 : 1)))
      : inner,
  )
}

/** `ack`, `reject`, `requeue` or `none` for each delivery; one ack may stand for several. */
function settlementsOf(steps: readonly Step[]): readonly string[] {
  const outcomes: string[] = []
  const open = new Map<string, Map<number, number>>()
  for (const { connection, channel, direction, method, args } of steps) {
    const place = `${connection}/${channel}`
    const tags = open.get(place) ?? new Map<number, number>()
    open.set(place, tags)
    const tag = Number(args['delivery_tag'])
    if (direction === 'received' && method === 'basic.deliver') {
      tags.set(tag, outcomes.length)
      outcomes.push('none')
    } else if (direction === 'sent' && /^basic\.(ack|reject|nack)$/.test(method)) {
      const outcome = method === 'basic.ack' ? 'ack' : args['requeue'] === true ? 'requeue' : 'reject'
      for (const [each, index] of tags) {
        if (each !== tag && !(args['multiple'] === true && (each < tag || tag === 0))) continue
        outcomes[index] = outcome
        tags.delete(each)
      }
    }
  }
  return outcomes
}
