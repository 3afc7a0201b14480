import type { Answer, CallWish, Fields, SeenError, SeenNotification } from './side.ts'

/** An exception as peers/side_parts.py describes it. */
interface PythonError {
  readonly type: string
  readonly module: string
  readonly text: string
  readonly exc_type: string | null
  readonly value: string | null
  readonly traceback: string
  readonly kwargs: unknown
}

/** What side.py answers to a command. */
export interface Reply {
  readonly value?: unknown
  readonly error?: PythonError
  readonly seconds: number
}

/** A notification in Python's words. */
export interface Printed extends Omit<SeenNotification, 'publisherId' | 'eventType'> {
  readonly publisher_id: string | null
  readonly event_type: string | null
}

export const notificationOf = ({
  priority,
  ctxt,
  publisher_id,
  event_type,
  payload,
  metadata,
}: Printed): SeenNotification => ({
  priority,
  ctxt,
  publisherId: publisher_id,
  eventType: event_type,
  payload,
  metadata,
})

/** How a call is wished for, in Python's words. */
export function wishOf({ target, ctxt, timeoutMs, monitorMs, retry, versionCap, atLeastOnce }: CallWish): Fields {
  return {
    target,
    ctxt,
    timeout: timeoutMs === undefined ? undefined : timeoutMs / 1000,
    call_monitor_timeout: monitorMs === undefined ? undefined : monitorMs / 1000,
    retry,
    version_cap: versionCap,
    at_least_once: atLeastOnce,
  }
}

export function answerOf({ value, error, seconds }: Reply): Answer {
  const ms = seconds * 1000
  return error === undefined ? { value, ms } : { error: seenErrorOf(error), ms }
}

const REMOTE_ENDING = '_Remote'
/** Python's own classes keep their name when they are rebuilt; the traceback in their text tells them from local
 *  ones. */
const TRACEBACK = /\\?n? ?Traceback \(most recent call last\)/

function seenErrorOf(raw: PythonError): SeenError {
  const kwargs = (raw.kwargs ?? {}) as Fields
  if (raw.type === 'RemoteError') {
    const [origin, message] = [raw.exc_type ?? '', raw.value ?? '']
    return { type: 'RemoteError', origin, rebuilt: false, message, traceback: raw.traceback, kwargs, raw }
  }
  const cut = TRACEBACK.exec(raw.text)?.index ?? -1
  const rebuilt = raw.type.endsWith(REMOTE_ENDING) || cut >= 0
  const type = raw.type.replace(REMOTE_ENDING, '')
  const message = (cut < 0 ? raw.text : raw.text.slice(0, cut)).replace(/(?:\n|\\n|\\)$/, '')
  return {
    type,
    origin: rebuilt ? type : undefined,
    rebuilt,
    message,
    traceback: cut < 0 ? '' : raw.text.slice(cut),
    kwargs,
    raw,
  }
}
