/** The fields of a message in a stream. All texts; what is absent is not said. */
export const FIELDS = {
  /** JSON of context and message, of a reply, or empty. */
  body: 'body',
  /** Headers of the application, as JSON; absent: none. */
  headers: 'headers',
  /** Stream that the reply goes to. Absent in casts. */
  replyTo: 'reply_to',
  /** The call that a request begins and a reply ends. */
  id: 'id',
  /** Seconds of silence after which the caller gives up. */
  monitor: 'monitor',
  /** Milliseconds the caller waits, counted from the writing. */
  expires: 'expires',
  /** On a notification: the only group it is for; others pass over it. */
  only: 'only',
  /** On a dead letter: the group whose listeners could not handle it. */
  failedIn: 'failed_in',
} as const

type Texts = Readonly<Record<string, string>>

/** The field of the application's headers; none when there are none. */
export function writeHeaders(headers: Texts | undefined): Texts {
  if (headers === undefined || Object.keys(headers).length === 0) return {}
  return { [FIELDS.headers]: JSON.stringify(headers) }
}

/** The application's headers of a message; undefined when it has none. What is no object of texts is passed over. */
export function readHeaders(fields: Texts): Texts | undefined {
  const text = fields[FIELDS.headers]
  if (text === undefined) return undefined
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    // A stranger wrote it: the message is good without it.
    return undefined
  }
  if (typeof value !== 'object' || value === null) return undefined
  const headers = Object.fromEntries(
    Object.entries(value).filter((pair): pair is [string, string] => typeof pair[1] === 'string'),
  )
  return Object.keys(headers).length === 0 ? undefined : headers
}

/** A number of at least 0 in a field; undefined when there is none, or something else. */
export function numberOf(fields: Texts, name: string): number | undefined {
  const text = fields[name]
  const value = text === undefined || text === '' ? NaN : Number(text)
  return Number.isFinite(value) && value >= 0 ? value : undefined
}

/** Milliseconds of the server's clock at which a message was written. */
export function writtenAt(id: string): number {
  return Number(id.split('-')[0])
}
