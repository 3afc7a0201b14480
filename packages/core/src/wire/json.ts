/** JSON as Python's library writes and reads it (DESIGN D12, WIRE 1.1). Being completed: NaN, bigint, dates, lone surrogates. */
export function encodeJson(value: unknown): string {
  return JSON.stringify(value)
}

export function decodeJson(text: string): unknown {
  return JSON.parse(text)
}
