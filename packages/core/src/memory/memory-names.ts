import { MessageUndeliverable } from '../errors.ts'
import type { Target } from '../target.ts'

/** Core has checked that there is a topic. */
export const topicOf = (target: Target): string => target.topic ?? ''

/** Which request queue a target means: that of the topic, or of one server of it. */
export function routingKeyOf(target: Target): string {
  return target.server === null ? topicOf(target) : `${topicOf(target)}.${target.server}`
}

/** For a request that asked to be told. */
export function undeliverable(exchange: string, target: Target): MessageUndeliverable {
  const routingKey = target.fanout === true ? topicOf(target) : routingKeyOf(target)
  return new MessageUndeliverable(`No queue takes ${routingKey} in exchange ${exchange}: no server has listened yet`, {
    exchange,
    routingKey,
    phase: 'confirm',
  })
}
