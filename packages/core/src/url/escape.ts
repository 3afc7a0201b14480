/** Percent escapes as Python's urllib writes and reads them; the standard JavaScript functions differ in `!'()*` and
 *  throw on invalid escapes. */

const UNRESERVED = /[^A-Za-z0-9_.~-]/gu

/** Escapes everything but letters, digits and `_.-~`, as UTF-8. `safe` characters stay too. */
export function escapePart(text: string, safe = ''): string {
  return text.replace(UNRESERVED, (char) =>
    safe.includes(char)
      ? char
      : [...Buffer.from(char, 'utf8')].map((byte) => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`).join(''),
  )
}

/** Decodes valid escapes as UTF-8 (invalid UTF-8 becomes U+FFFD) and leaves invalid ones as they are. */
export function unescapePart(text: string): string {
  return text.replace(/(?:%[0-9a-f]{2})+/gi, (run) => Buffer.from(run.replaceAll('%', ''), 'hex').toString('utf8'))
}

/** One key or value of a query: a space is `+`. */
export function escapeQuery(text: string): string {
  return escapePart(text, ' ').replaceAll(' ', '+')
}

export function unescapeQuery(text: string): string {
  return unescapePart(text.replaceAll('+', ' '))
}
