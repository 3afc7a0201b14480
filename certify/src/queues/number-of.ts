/** The number is inside JSON that is inside JSON, so its quotes may be escaped. */
const NUMBER = /\\*"n\\*": ?(\d+)/

/** The number that the library under test wrote into a body. */
export function numberOf(body: unknown): number {
  const [, digits] = NUMBER.exec(Buffer.isBuffer(body) ? body.toString('utf8') : String(body)) ?? []
  if (digits === undefined) throw new Error('A message under test carries no number')
  return Number(digits)
}
