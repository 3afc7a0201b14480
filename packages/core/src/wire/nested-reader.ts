import { readUtf8 } from './utf8.ts'

const QUOTE = 0x22
const BACKSLASH = 0x5c
const SPACE = 0x20

/** Shorter strings are left to the engine. */
export const LEAST_BYTES = 4096
/** With more than one escape for so many bytes it does not pay to look for them. */
const BYTES_PER_ESCAPE = 32
const SAMPLE = 256
const MOST_KEPT_BYTES = 1024 * 1024

let room = Buffer.allocUnsafeSlow(0)

/** The text that the JSON string of these bytes (its quotes included) stands for, if it is long and nothing but quotes
 *  is escaped in it, and few of them; otherwise undefined, whether it is a string or not.
 *  Control characters, which no JSON string may hold, are found by whoever reads the text as JSON: all but those that
 *  count as space there, which are looked for here.
 *  Throws SerializationError for bytes that are not UTF-8. */
export function readNested(string: Buffer): string | undefined {
  const end = string.length - 1
  if (end < LEAST_BYTES || string[0] !== QUOTE || string[end] !== QUOTE) return undefined
  if (escapesIn(string, 1) + escapesIn(string, end >> 1) > (2 * SAMPLE) / BYTES_PER_ESCAPE) return undefined
  if (string.includes(0x0a) || string.includes(0x0d) || string.includes(0x09)) return undefined
  if (room.length < end) room = Buffer.allocUnsafeSlow(end)
  const length = unescapeInto(room, string, end)
  const text = length === undefined ? undefined : readUtf8(room.subarray(0, length))
  if (room.length > MOST_KEPT_BYTES) room = Buffer.allocUnsafeSlow(0)
  return text
}

function escapesIn(bytes: Buffer, start: number): number {
  let count = 0
  for (let index = start; index < start + SAMPLE; index += 1) {
    const byte = bytes[index] ?? 0
    if (byte === QUOTE || byte === BACKSLASH || byte < SPACE) count += 1
  }
  return count
}

/** Gives how many bytes there are; undefined when there are many escapes, or others than that of a quote. */
function unescapeInto(target: Buffer, string: Buffer, end: number): number | undefined {
  let budget = end / BYTES_PER_ESCAPE
  let from = 1
  let to = 0
  for (let quote = string.indexOf(QUOTE, 1); quote < end; quote = string.indexOf(QUOTE, quote + 1)) {
    const backslash = string.indexOf(BACKSLASH, from)
    budget -= 1
    if (backslash !== quote - 1 || budget < 0) return undefined
    to += string.copy(target, to, from, backslash)
    target[to] = QUOTE
    to += 1
    from = quote + 1
  }
  if (string.indexOf(BACKSLASH, from) !== -1) return undefined
  return to + string.copy(target, to, from, end)
}
