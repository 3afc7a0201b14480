/** The priorities a notification may have, in lower case as topics and endpoint methods spell them; on the wire they
 *  are upper case. */
export const PRIORITIES = ['audit', 'debug', 'info', 'warn', 'error', 'critical', 'sample'] as const

/** A priority, lower case as endpoints name their methods; upper case on the wire. */
export type Priority = (typeof PRIORITIES)[number]

const KNOWN: ReadonlySet<string> = new Set(PRIORITIES)

export function isPriority(text: string): text is Priority {
  return KNOWN.has(text)
}
