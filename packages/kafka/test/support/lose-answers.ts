import { watchRequests } from './watch-requests.ts'

export const OFFSET_COMMIT = 8
export const JOIN_GROUP = 11

interface Loss {
  /** So many requests of each key, as they come, get no answer from now on. */
  begin(counts: readonly (readonly [key: number, count: number])[]): void
  /** Requests that are still to come. */
  left(): number
}

/** Cuts connections of this process to a port behind requests: the broker has them, and nobody hears its answers. As
 *  `watchRequests`. */
export function loseAnswers(port: number): Loss {
  const left = new Map<number, number>()
  watchRequests({
    behind: ({ key, socket }) => {
      const count = left.get(key) ?? 0
      if (count === 0 || socket.remotePort !== port) return
      left.set(key, count - 1)
      // As a network says it: kafkajs does not hear of an end without an error.
      socket.destroy(Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' }))
    },
  })
  return {
    begin: (counts) => {
      for (const [key, count] of counts) left.set(key, count)
    },
    left: () => [...left.values()].reduce((sum, count) => sum + count, 0),
  }
}
