import assert from 'node:assert/strict'
import { inspect } from 'node:util'
import type { IncomingNotification, IncomingRequest } from '@oslo-messaging/core/driver'

/** A payload in a few characters. */
export function shown(payload: unknown): string {
  return inspect(payload, { depth: 1, breakLength: Infinity, maxStringLength: 40, maxArrayLength: 3 })
}

/** Asserts a MessagingError with the code, given without its prefix. */
export function assertCode(
  error: unknown,
  code: string,
  what: string,
): asserts error is Error & Readonly<Record<string, unknown>> {
  assert.ok(error instanceof Error, `${what}: an Error was expected, not ${String(error)}`)
  const actual = 'code' in error ? error.code : undefined
  assert.equal(actual, `OSLO_MESSAGING_${code}`, `${what}: ${error.name}: ${error.message}`)
}

/** Acknowledges the request and answers with its arguments. */
export function echo(request: IncomingRequest): void {
  request.acknowledge()
  void request.reply({ result: request.message['args'] ?? null, failure: null })
}

/** Acknowledges what came. */
export function acknowledge(message: { acknowledge(): void }): void {
  message.acknowledge()
}

/** `payload` of each notification. */
export function payloads(messages: readonly IncomingNotification[]): readonly unknown[] {
  return messages.map(({ message }) => message['payload'])
}

/** `method` of each request. */
export function methods(messages: readonly IncomingRequest[]): readonly unknown[] {
  return messages.map(({ message }) => message['method'])
}

/** Numbers from the smallest, in a new array. */
export function ascending(numbers: readonly number[]): readonly number[] {
  return [...numbers].sort((x, y) => x - y)
}
