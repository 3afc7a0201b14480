import type { Broker, ClientPatches } from './client-patches.ts'
import { isFunction, shaped } from './internals.ts'

/** The fields of kafkajs's request queue that the replaced method uses. */
interface RequestQueue {
  readonly inflight: ReadonlyMap<number, WaitingRequest>
  requestTimeoutIntervalId: NodeJS.Timeout | undefined
  isConnected(): boolean
  destroy(): void
  scheduleRequestTimeoutCheck(): void
}

interface WaitingRequest {
  readonly sentAt: number
  readonly requestTimeout: number
  timeoutRequest(): void
}

const LOOK_MS = 1000

/** Looks for late answers once a second. kafkajs looks ten times a second on each connection, which is half of what an
 *  idle listener costs;
 *  answers may take many seconds, so that one more says nothing.
 *  Brokers throw DriverLoadFailure when this kafkajs is built otherwise. */
export function lookForTimeoutsRarely(patches: ClientPatches): void {
  patches.onBroker((broker) => {
    for (const queue of queuesOf(broker)) {
      queue.scheduleRequestTimeoutCheck = () => {
        queue.destroy()
        queue.requestTimeoutIntervalId = setInterval(() => look(queue), LOOK_MS)
      }
    }
  })
}

function look(queue: RequestQueue): void {
  const now = Date.now()
  for (const request of queue.inflight.values())
    if (now - request.sentAt > request.requestTimeout) request.timeoutRequest()
  if (!queue.isConnected()) queue.destroy()
}

function queuesOf(broker: Broker): readonly RequestQueue[] {
  const { pool } = (broker as { readonly connectionPool?: { readonly pool?: unknown } }).connectionPool ?? {}
  const connections = shaped(pool, isList, 'the connections of a broker')
  return connections.map((connection) =>
    shaped((connection as { readonly requestQueue?: unknown }).requestQueue, isRequestQueue, 'a request queue'),
  )
}

function isList(found: unknown): found is readonly unknown[] {
  return Array.isArray(found)
}

function isRequestQueue(found: unknown): found is RequestQueue {
  const { inflight, isConnected, destroy, scheduleRequestTimeoutCheck } = (found ?? {}) as Partial<RequestQueue>
  return (
    inflight instanceof Map && isFunction(isConnected) && isFunction(destroy) && isFunction(scheduleRequestTimeoutCheck)
  )
}
