/** The text of whatever was thrown, for a message that quotes it. */
export function errorText(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
