import type { TestedTopic } from '../queues/workload.ts'

/** Competing listeners and one alone, casts that wait for the broker, calls, and fanouts. */
export const TOPICS: readonly TestedTopic[] = [
  { name: 'shared', way: 'notification', members: 2, callers: 8, perSec: 80, timeoutMs: 30_000 },
  { name: 'solo', way: 'notification', members: 1, callers: 4, perSec: 40, timeoutMs: 30_000 },
  { name: 'hasty', way: 'notification', members: 1, callers: 4, perSec: 40, timeoutMs: 500 },
  { name: 'casts', way: 'cast', members: 2, callers: 4, perSec: 40, timeoutMs: 10_000 },
  { name: 'calls', way: 'call', members: 2, callers: 16, perSec: 80, timeoutMs: 10_000 },
  { name: 'fan', way: 'fanout', members: 2, callers: 2, perSec: 10, timeoutMs: 10_000 },
]

export const NOTIFICATIONS: readonly TestedTopic[] = TOPICS.filter(({ way }) => way === 'notification')
