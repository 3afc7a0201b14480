import { isMessagingError, RemoteError } from '@oslo-messaging/core'

import type { Answer, Fields, SeenError } from './side.ts'

/** What became of a call, as data. */
export async function answerFrom(call: () => Promise<unknown>): Promise<Answer> {
  const startedAt = performance.now()
  const ms = (): number => performance.now() - startedAt
  try {
    return { value: (await call()) ?? null, ms: ms() }
  } catch (error) {
    return { error: seenErrorOf(error), ms: ms() }
  }
}

function seenErrorOf(thrown: unknown): SeenError {
  if (!(thrown instanceof Error)) throw new Error(`A call was rejected with ${String(thrown)}, which is no error`)
  const origin = originOf(thrown)
  const type = thrown.name.replace(/_Remote$/, '')
  return {
    // Ours says why it waited in vain; Python has one word for it.
    type: type === 'ServerLost' ? 'MessagingTimeout' : type,
    origin: origin?.excType,
    rebuilt: origin !== undefined && thrown !== origin,
    message: origin === thrown ? origin.value : thrown.message,
    traceback: origin?.traceback.join('') ?? '',
    kwargs: origin?.kwargs ?? {},
    raw: {
      name: thrown.name,
      message: thrown.message,
      ...(isMessagingError(thrown)
        ? { code: thrown.code, retryable: thrown.retryable, phase: thrown.phase, delivery: thrown.delivery }
        : {}),
      ...own(thrown),
      ...(origin === undefined ? {} : { excType: origin.excType, module: origin.module, value: origin.value }),
    },
  }
}

/** The error of the far side behind one that a call was rejected with. */
function originOf(error: Error): RemoteError | undefined {
  if (error instanceof RemoteError) return error
  return error.cause instanceof RemoteError ? error.cause : undefined
}

/** Fields that a class of errors adds. */
function own(error: Error): Fields {
  const fields = Object.entries(error).filter(([name]) => !['traceback', 'cause', 'name'].includes(name))
  return Object.fromEntries(fields)
}
