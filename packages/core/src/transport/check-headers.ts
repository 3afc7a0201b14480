/** Transport headers of one message: trace context and the like, name to text. They travel beside the message (AMQP
 *  headers, application properties, record headers), so peers that do not know them see the same bytes. Brokers keep
 *  names that begin with `x-` for themselves; a name takes 255 bytes of UTF-8 at most, which is what AMQP can write. */
export type MessageHeaders = Readonly<Record<string, string>>

const LONGEST_NAME = 255

/** Throws TypeError that names the header which is none; an empty set is none at all. */
export function checkHeaders(headers: unknown): MessageHeaders | undefined {
  if (headers === undefined || headers === null) return undefined
  if (typeof headers !== 'object' || Array.isArray(headers))
    throw new TypeError(`headers must be an object of texts such as { traceparent: '00-...' }, not ${typeof headers}`)
  const entries = Object.entries(headers)
  for (const [name, value] of entries) {
    if (name === '' || typeof value !== 'string')
      throw new TypeError(`headers[${JSON.stringify(name)}] must be a text with a name, not ${typeof value}`)
    // 85 characters cannot take more.
    if (name.length > 85 && Buffer.byteLength(name) > LONGEST_NAME)
      throw new TypeError(
        `headers["${name.slice(0, 40)}..."] has a name of more than ${LONGEST_NAME} bytes: shorten it`,
      )
  }
  return entries.length === 0 ? undefined : (headers as MessageHeaders)
}
