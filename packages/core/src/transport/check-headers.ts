/** Transport headers of one message: trace context and the like, name to text. They travel beside the message (AMQP headers, application properties, record headers),
 *  so peers that do not know them see the same bytes (DESIGN D14). Brokers keep names that begin with `x-` for themselves. */
export type MessageHeaders = Readonly<Record<string, string>>

/** Throws TypeError that names the header which is none; an empty set is none at all. */
export function checkHeaders(headers: unknown): MessageHeaders | undefined {
  if (headers === undefined || headers === null) return undefined
  if (typeof headers !== 'object' || Array.isArray(headers))
    throw new TypeError(`headers must be an object of texts such as { traceparent: '00-...' }, not ${typeof headers}`)
  const entries = Object.entries(headers)
  for (const [name, value] of entries)
    if (name === '' || typeof value !== 'string')
      throw new TypeError(`headers[${JSON.stringify(name)}] must be a text with a name, not ${typeof value}`)
  return entries.length === 0 ? undefined : (headers as MessageHeaders)
}
