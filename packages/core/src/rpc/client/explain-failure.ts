import { ClientSendError, isMessagingError, MessagingTimeout, ReplyPathLost, ServerLost } from '../../errors.ts'
import type { Target } from '../../target.ts'
import { errorText } from '../../util/text.ts'

/** What the caller is told about a request that failed. Faults of drivers become ClientSendError; what only a driver
 *  could say, which knows neither method nor target, says them too, so that a line in a log tells which call it was.
 *  Everything else is said well enough already. */
export function explainFailure(error: unknown, method: string, target: Target): unknown {
  // What the method raised is its own.
  if (error instanceof Error && isMessagingError(error.cause, 'REMOTE')) return error
  if (isMessagingError(error, 'DRIVER')) {
    const { retryable, phase, delivery } = error
    const text = `Cannot send to ${String(target)}: ${errorText(error)}`
    return new ClientSendError(target, text, { cause: error, retryable, phase, delivery })
  }
  if (isMessagingError(error, 'TIMEOUT')) return new MessagingTimeout(named(error.message, method, target), error)
  if (isMessagingError(error, 'REPLY_PATH_LOST')) return new ReplyPathLost(named(error.message, method, target), error)
  if (!isMessagingError(error, 'SERVER_LOST')) return error
  const { cause, retryable, phase, delivery, monitorTimeoutMs } = error
  const facts = { cause, retryable, phase, delivery }
  return new ServerLost(
    named(error.message, method, target),
    monitorTimeoutMs === undefined ? facts : { ...facts, monitorTimeoutMs },
  )
}

function named(message: string, method: string, target: Target): string {
  return `${message} (${method} of ${String(target)})`
}
