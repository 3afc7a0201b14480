import { isMessagingError, RemoteError } from '@oslo-messaging/core'

import type { Judge } from './judge.ts'

/** What a call came to: a value, or an error. */
export type CallOutcome = { readonly result: unknown } | { readonly error: unknown }

/** How Python's client saw the end of a call. */
export type PythonOutcome =
  | { readonly result: unknown }
  | { readonly error: { readonly name: string; readonly text: string | null } }

/** The outcome in the `api` part of a vector. */
export function outcomeIn(api: object): PythonOutcome {
  const { result = null, error = null } = api as {
    readonly result?: unknown
    readonly error?: { readonly python_class: string; readonly str_first_line: string } | null
  }
  return error === null ? { result } : { error: { name: error.python_class, text: error.str_first_line } }
}

/** Python's errors that are another class here, with the row that says why. */
const OTHER_CLASSES: Readonly<Record<string, readonly [ours: string, difference: string]>> = {
  JSONDecodeError: ['SerializationError', 'failure-that-is-no-json'],
}

/** Python's own accidents: here the call has its result. */
const ACCIDENTS: Readonly<Record<string, string>> = {
  KeyError: 'reply-without-failure-key',
  AttributeError: 'heartbeat-nobody-asked-for',
}

/** Compares what became of a call. `value`: the result that was on the wire where Python failed by accident. */
export function compareOutcomes(judge: Judge, ours: CallOutcome, python: PythonOutcome, value?: unknown): void {
  if (!('error' in python)) {
    judge.same('outcome', 'error' in ours ? { error: describe(ours.error) } : ours, { result: python.result })
    return
  }
  const { name, text } = python.error
  const accident = ACCIDENTS[name]
  if (accident !== undefined && value !== undefined && 'result' in ours) {
    judge.excuse(accident)
    judge.same('result', ours.result, value)
    return
  }
  const error = 'error' in ours ? ours.error : undefined
  const other = OTHER_CLASSES[name]
  if (other !== undefined) {
    judge.excuse(other[1])
    judge.same('class of the error', describe(error).name, other[0])
    return
  }
  if (name === 'MessagingTimeout') {
    judge.same('the call timed out', isMessagingError(error, 'TIMEOUT') || isMessagingError(error, 'SERVER_LOST'), true)
    return
  }
  const remote = name === 'RemoteError' ? /^Remote error: (\w+) ?(.*)$/.exec(text ?? '') : null
  const own = describe(error)
  if (remote !== null && (remote[1] === 'NoSuchMethod' || remote[1] === 'UnsupportedVersion')) {
    judge.excuse('own-errors-need-no-permission')
    judge.same('error', { name: own.name, text: own.text }, { name: remote[1], text: remote[2] })
    return
  }
  if (remote !== null) {
    const { excType, value: itsValue } = error instanceof RemoteError ? error : { excType: own.name, value: own.text }
    judge.same('remote error', [own.name, excType, itsValue], ['RemoteError', remote[1], remote[2]])
    return
  }
  judge.same('class of the error', own.name.replace(/_Remote$/, ''), name.replace(/_Remote$/, ''))
  if (name === 'MessageUndeliverable') judge.excuse('undeliverable-says-where-to')
  else if (text !== null) judge.same('text of the error', own.text, textOf(name, text))
}

/** Python shows the text of a KeyError in quotes, and rebuilt builtins with their traceback. */
function textOf(name: string, text: string): string {
  if (name !== 'KeyError') return text
  const [first = ''] = text
    .replace(/^'(.*?)'?$/s, '$1')
    .replaceAll("\\'", "'")
    .split(/\\n| <traceback follows>/)
  return first
}

function describe(error: unknown): { readonly name: string; readonly text: string } {
  return error instanceof Error
    ? { name: error.name, text: error.message }
    : { name: typeof error, text: String(error) }
}
