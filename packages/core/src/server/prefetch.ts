import type { WorkerPool } from './worker-pool.ts'

/** AMQP 0-9-1 counts prefetch in 16 bits. */
export const LARGEST_PREFETCH = 65_535

/** Messages to have at hand for a pool: twice its workers, so that the next one is there when a worker is free, and the
 *  rest stays with the broker. */
export function prefetchOf(pool: WorkerPool): number {
  return Math.min(pool.size * 2, LARGEST_PREFETCH)
}
