import { readFileSync } from 'node:fs'
import * as core from '@oslo-messaging/core'
import { MessagingError, type MessagingErrorOptions, RemoteError } from '@oslo-messaging/core'

/** Class and code of every error there is, by docs/errors.md, which another test compares with the classes. */
const TABLE = readFileSync(new URL('../../../../docs/errors.md', import.meta.url), 'utf8')
export const ERRORS: readonly { name: string; code: string }[] = [
  ...TABLE.matchAll(/^\| `(\w+)` \| `([A-Z_]+)` \|/gm),
].map(([, name = '', code = '']) => ({ name, code }))

/** An instance of that class with all that a caller decides by. */
export function errorOf(name: string, code: string): MessagingError {
  const Class: unknown = Object.entries(core).find(([exported]) => exported === name)?.[1]
  if (typeof Class !== 'function') throw new Error(`core exports no ${name}`)
  const options: MessagingErrorOptions = { phase: 'confirm', delivery: 'unknown', retryable: true }
  // Its fields are what it is printed by.
  if (name === 'RemoteError') return new RemoteError('KeyError', 'what happened', [], options)
  return Reflect.construct(MessagingError, [code, 'what happened', options], Class) as MessagingError
}
