import { isMessagingError } from '@oslo-messaging/core'
import { errorText } from '../text/error-text.ts'

/** A failure for people and for programs. */
export interface FailureText {
  /** The method ran and raised; nothing is wrong with the messaging. */
  readonly isRemote: boolean
  readonly text: string
  readonly fields: Readonly<Record<string, unknown>>
  /** Lines of the method's own traceback. */
  readonly traceback: readonly string[]
}

/** What happened to a call, cast or notification, with what is known of the message. */
export function describeFailure(error: unknown): FailureText {
  const cause = error instanceof Error ? error.cause : undefined
  const remote = isMessagingError(error, 'REMOTE') ? error : isMessagingError(cause, 'REMOTE') ? cause : undefined
  if (remote !== undefined) {
    const { excType, value } = remote
    const traceback = remote.traceback.flatMap((part) => part.split('\n')).filter((line) => line.trim() !== '')
    return {
      isRemote: true,
      text: `the method raised ${excType}${value === '' ? '' : `: ${value}`}`,
      fields: { kind: 'remote', type: excType, message: value, traceback },
      traceback,
    }
  }
  const text = errorText(error)
  if (!isMessagingError(error))
    return { isRemote: false, text, fields: { kind: 'failure', message: text }, traceback: [] }
  const { code, phase, delivery, retryable } = error
  return {
    isRemote: false,
    text,
    fields: { kind: 'failure', code, message: text, phase, delivery, retryable },
    traceback: [],
  }
}
