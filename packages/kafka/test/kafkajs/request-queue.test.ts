import { createRequire } from 'node:module'
import { describe, expect, it, vi } from 'vitest'
import { correctRequestQueue } from '../../src/kafkajs/patches/request-queue.ts'

interface Queue {
  pending: unknown[]
  throttledUntil: number
  throttleCheckTimeoutId: unknown
  scheduleCheckPendingRequests(): void
  checkPendingRequests(): void
  destroy(): void
}

const require = createRequire(import.meta.url)
const RequestQueue = require('kafkajs/src/network/requestQueue') as new (options: object) => Queue
const queue = (): Queue =>
  new RequestQueue({
    maxInFlightRequests: 1,
    requestTimeout: 1000,
    clientId: 'test',
    broker: 'b',
    logger: { debug() {} },
  })

describe('kafkajs quirks', () => {
  it('P28 no timer with a negative delay, and none at all while nothing waits', () => {
    correctRequestQueue()
    const timers = vi.spyOn(globalThis, 'setTimeout')
    try {
      const idle = queue()
      idle.scheduleCheckPendingRequests()
      idle.checkPendingRequests()
      expect(timers).not.toHaveBeenCalled()
      const busy = queue()
      busy.pending = [{}]
      busy.throttledUntil = Date.now() + 50
      busy.scheduleCheckPendingRequests()
      expect(timers.mock.calls.map(([, delay]) => Number(delay) > 0)).toEqual([true])
      busy.destroy()
    } finally {
      timers.mockRestore()
    }
  })
})
