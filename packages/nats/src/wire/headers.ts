/** What the driver says beside a message. All texts; what is absent is not said. */
export const DRIVER_HEADERS = {
  /** Subject that the reply goes to; absent in casts. */
  replyTo: 'Oslo-Reply-To',
  /** Seconds of silence after which the caller gives up. */
  monitor: 'Oslo-Monitor',
  /** Milliseconds the caller waits, counted from the sending. */
  expires: 'Oslo-Expires',
  /** On a reply: a sign of life and no reply. */
  beat: 'Oslo-Beat',
  /** On a notification: the only consumer it is for; others pass over it. */
  only: 'Oslo-Only',
  /** On a notification: milliseconds before it is delivered for the first time. */
  delay: 'Oslo-Delay',
  /** On a dead letter: the consumer whose listeners could not handle it. */
  failedIn: 'Oslo-Failed-In',
  /** Headers of the application that NATS cannot carry as they are, as one JSON object. */
  others: 'Oslo-Headers',
} as const

type HeaderTexts = Readonly<Record<string, string>>

const OWN = /^(Oslo|Nats)-/i
// A header of NATS is a line: `name: value`, where blanks around the value are lost.
const NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/
const VALUE = /^(?! )[\x20-\x7E]*(?<! )$/

/** The application's headers as NATS carries them, and what the driver says. */
export function writeHeaders(application: HeaderTexts | undefined, own: HeaderTexts = {}): Record<string, string> {
  const written: Record<string, string> = { ...own }
  const others: [string, string][] = []
  for (const [name, value] of Object.entries(application ?? {})) {
    if (NAME.test(name) && VALUE.test(value) && value !== '' && !OWN.test(name)) written[name] = value
    else others.push([name, value])
  }
  if (others.length > 0) written[DRIVER_HEADERS.others] = toAscii(JSON.stringify(Object.fromEntries(others)))
  return written
}

/** The application's headers of a message; undefined when it has none. What is no object of texts is passed over. */
export function readHeaders(received: HeaderTexts): HeaderTexts | undefined {
  const headers: Record<string, string> = {}
  for (const [name, value] of Object.entries(received)) if (!OWN.test(name)) headers[name] = value
  const others = received[DRIVER_HEADERS.others]
  if (others !== undefined)
    for (const [name, value] of Object.entries(parse(others))) if (typeof value === 'string') headers[name] = value
  return Object.keys(headers).length === 0 ? undefined : headers
}

/** A number of at least 0 in a header; undefined when there is none, or something else. */
export function numberOf(received: HeaderTexts, name: string): number | undefined {
  const text = received[name]
  const value = text === undefined || text === '' ? NaN : Number(text)
  return Number.isFinite(value) && value >= 0 ? value : undefined
}

function toAscii(json: string): string {
  return json.replaceAll(/[^\x20-\x7E]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
}

function parse(text: string): object {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : {}
  } catch {
    // A stranger wrote it: the message is good without it.
    return {}
  }
}
