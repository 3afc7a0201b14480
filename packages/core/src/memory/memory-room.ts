import { BackpressureError } from '../errors.ts'
import type { Deadline } from '../util/deadline.ts'
import type { MemoryQueue } from './memory-queue.ts'

export const isFull = (queue: MemoryQueue): boolean => queue.isFull

/** Publishes as soon as every queue the message goes to has room; senders that wait already come first.
 *  Rejects with BackpressureError at the deadline, or with the reason of its signal; the message was not sent then. */
export async function publishWhenRoom(
  findQueues: () => readonly MemoryQueue[],
  publish: (queues: readonly MemoryQueue[]) => void,
  deadline: Deadline,
): Promise<void> {
  let leaveQueue = (): void => {}
  let stopWatching = (): void => {}
  try {
    await new Promise<void>((resolve, reject) => {
      const attempt = (): void => {
        const queues = findQueues()
        const full = queues.find((queue) => !queue.hasRoom)
        if (full !== undefined) {
          leaveQueue = full.whenRoom(attempt)
          return
        }
        publish(queues)
        resolve()
      }
      const first = findQueues().find(isFull)
      if (first === undefined) attempt()
      else leaveQueue = first.whenRoom(attempt)
      stopWatching = deadline.watch({ phase: 'publish', delivery: 'not-sent' }, (cause) => {
        const isTimeout = deadline.signal?.aborted !== true
        reject(isTimeout ? new BackpressureError(`No room in queue ${first?.name ?? ''} in time`, { cause }) : cause)
      })
    })
  } finally {
    leaveQueue()
    stopWatching()
  }
}
