/** The text of whatever was thrown, for a message that quotes it. Never throws itself. */
export function errorText(error: unknown): string {
  try {
    return String(error instanceof Error ? error.message : error)
  } catch (unprintable) {
    return `something that cannot be shown (${typeof unprintable})`
  }
}
