import type { TopicPlan } from './admin.ts'

/** One topic under test. `name` is what applications say; Kafka's topic has the priority behind it. */
export interface TestedTopic {
  readonly name: string
  readonly partitions: number
  /** Replicas of each partition; default three. */
  readonly replicas?: readonly (readonly number[])[]
  readonly callers: number
  readonly perSec: number
  readonly timeoutMs: number
}

/** The node that alone has the one partition of `lonely`. */
export const LONELY_NODE = 3

/** Deadlines differ on purpose: all of them go through one producer. */
export const TOPICS: Readonly<Record<'one' | 'six' | 'thirty' | 'doomed' | 'denied' | 'lonely', TestedTopic>> = {
  one: { name: 'one', partitions: 1, callers: 4, perSec: 60, timeoutMs: 60_000 },
  six: { name: 'six', partitions: 6, callers: 16, perSec: 160, timeoutMs: 60_000 },
  thirty: { name: 'thirty', partitions: 30, callers: 8, perSec: 120, timeoutMs: 2_000 },
  doomed: { name: 'doomed', partitions: 3, callers: 2, perSec: 20, timeoutMs: 1_000 },
  denied: { name: 'denied', partitions: 2, callers: 2, perSec: 20, timeoutMs: 1_000 },
  lonely: {
    name: 'lonely',
    partitions: 2,
    replicas: [[LONELY_NODE], [1]],
    callers: 2,
    perSec: 20,
    timeoutMs: 300,
  },
}

const PRIORITY = 'info'

/** Kafka's name of a topic, which is also its place in the history. */
export function placeOf({ name }: Pick<TestedTopic, 'name'>): string {
  return `${name}.${PRIORITY}`
}

export function planOf(topic: TestedTopic): TopicPlan {
  const { partitions, replicas } = topic
  return { topic: placeOf(topic), partitions, ...(replicas === undefined ? {} : { replicas }) }
}
