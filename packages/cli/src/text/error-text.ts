/** The message of whatever was thrown. */
export function errorText(error: unknown): string {
  return error instanceof Error && error.message !== '' ? error.message : String(error)
}
