import net from 'node:net'
import { vi } from 'vitest'

export const OFFSET_COMMIT = 8
export const JOIN_GROUP = 11

interface Loss {
  /** So many requests of each key, as they come, get no answer from now on. */
  begin(counts: readonly (readonly [key: number, count: number])[]): void
  /** Requests that are still to come. */
  left(): number
}

/** Cuts connections of this process to a port behind requests: the broker has them, and nobody hears its answers.
 *  For connections that are opened from now on; undone by `vi.restoreAllMocks`. Shape of a request: size 4, key 2. */
export function loseAnswers(port: number): Loss {
  // eslint-disable-next-line typescript/unbound-method -- It is called with its socket below.
  const { write } = net.Socket.prototype
  const left = new Map<number, number>()
  vi.spyOn(net.Socket.prototype, 'write').mockImplementation(function (this: net.Socket, ...args: unknown[]) {
    const [data] = args
    const key = Buffer.isBuffer(data) && data.length > 14 && this.remotePort === port ? data.readInt16BE(4) : -1
    const count = left.get(key) ?? 0
    if (count === 0) return Reflect.apply(write, this, args) as boolean
    left.set(key, count - 1)
    // As a network says it: kafkajs does not hear of an end without an error.
    const reset = Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' })
    return Reflect.apply(write, this, [data, () => this.destroy(reset)]) as boolean
  })
  return {
    begin: (counts) => {
      for (const [key, count] of counts) left.set(key, count)
    },
    left: () => [...left.values()].reduce((sum, count) => sum + count, 0),
  }
}
