import type { MessageHeaders } from '../../transport/check-headers.ts'
import type { OptionNames } from '../../util/check.ts'

/** Limits and wishes of one sending. */
export interface CallOptions {
  /** Most time, milliseconds; null: no limit. A call: from here to the reply, default the client's. A cast: until the
   *  broker has it, default `rpc_response_timeout`. */
  readonly timeoutMs?: number | null | undefined
  /** Whether a call made with the context of a request that is being handled may take no longer than that request's
   *  caller still waits. Default true. Casts are not bounded by it. */
  readonly inheritDeadline?: boolean | undefined
  /** Ends the waiting with the signal's reason. What the broker has already is not taken back. */
  readonly signal?: AbortSignal | undefined
  /** Trace context and the like: reaches the method as `call.headers`, and changes nothing in the message. */
  readonly headers?: MessageHeaders | undefined
}

/** oslo's TransportOptions. */
export interface CallTransportOptions {
  /** Reject with MessageUndeliverable at once when no queue takes the request. Default false. */
  readonly atLeastOnce?: boolean | undefined
}

export const CALL_OPTIONS: OptionNames<CallOptions> = {
  timeoutMs: true,
  inheritDeadline: true,
  signal: true,
  headers: true,
}

export const CALL_TRANSPORT_OPTIONS: OptionNames<CallTransportOptions> = { atLeastOnce: true }
