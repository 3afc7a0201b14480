/** What can be chosen in code, beyond the options of oslo. Every field has the value that suits a deployment of Python services. */
export interface RabbitSettings {
  /** Ids of messages remembered by each listener to notice duplicates. oslo remembers 16. Default 16. */
  readonly duplicateCacheSize: number
  /** Most messages handed to the broker and not confirmed yet; senders wait for room. Default 4096. */
  readonly maxOutstandingMessages: number
  /** Most bytes of them. Default 64 MiB. */
  readonly maxOutstandingBytes: number
  /** How often the broker is asked whether consumers that hear nothing still exist, milliseconds; 0 never. Default 5000. */
  readonly watchdogIntervalMs: number
  /** Milliseconds an attempt to connect to one host may take. Default 10 000. */
  readonly connectTimeoutMs: number
}

export const DEFAULT_SETTINGS: RabbitSettings = Object.freeze({
  duplicateCacheSize: 16,
  maxOutstandingMessages: 4096,
  maxOutstandingBytes: 64 * 1024 * 1024,
  watchdogIntervalMs: 5000,
  connectTimeoutMs: 10_000,
})
