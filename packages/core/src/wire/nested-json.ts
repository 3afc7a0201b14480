// JSON inside a JSON string. The engine goes through it one character at a time; looking for escapes is many times
// quicker where they are few, and
// writing bytes is twice as quick where they are many.

/** Shorter texts are left to the engine. */
const LONG_TO_QUOTE = 512
const LONG_TO_UNQUOTE = 4096
/** With more than one escape for so many characters it does not pay to look for them. */
const CHARACTERS_PER_ESCAPE = 32

/** What `JSON.stringify` gives for a text that is JSON itself, as `encodeJson` writes it: without line breaks, other
 *  control characters and lone surrogates. */
export function quoteJson(text: string): string {
  return quoteFew(text) ?? JSON.stringify(text)
}

/** The bytes of the same in UTF-8, between `head` and `tail`, which are ASCII. */
export function quoteToBytes(text: string, head: string, tail: string): Buffer {
  if (text.length < LONG_TO_QUOTE) return Buffer.from(`${head}${JSON.stringify(text)}${tail}`)
  const quoted = quoteFew(text)
  return quoted === undefined ? writeQuoted(text, head, tail) : Buffer.from(`${head}${quoted}${tail}`)
}

/** Undefined when there are many escapes, or the text is short. */
function quoteFew(text: string): string | undefined {
  if (text.length < LONG_TO_QUOTE || !hasFewEscapes(text)) return undefined
  const escaped = text.includes('\\') ? text.replaceAll('\\', '\\\\') : text
  return `"${escaped.replaceAll('"', '\\"')}"`
}

function hasFewEscapes(text: string): boolean {
  if (!looksQuiet(text)) return false
  let budget = text.length / CHARACTERS_PER_ESCAPE
  for (const character of ['"', '\\'])
    for (let at = text.indexOf(character); at !== -1; at = text.indexOf(character, at + 1)) {
      budget -= 1
      if (budget < 0) return false
    }
  return true
}

const SAMPLE = 256

/** A look at two small parts: that many escapes are there is soon seen. */
export function looksQuiet(text: string): boolean {
  const middle = text.length >> 1
  return escapesIn(text, 0) + escapesIn(text, middle) <= (2 * SAMPLE) / CHARACTERS_PER_ESCAPE
}

function escapesIn(text: string, start: number): number {
  const end = Math.min(start + SAMPLE, text.length)
  let count = 0
  for (let index = start; index < end; index += 1) {
    const code = text.charCodeAt(index)
    if (code === QUOTE || code === BACKSLASH || code < SPACE) count += 1
  }
  return count
}

const QUOTE = 0x22
const BACKSLASH = 0x5c
const SPACE = 0x20

/** 1 for the bytes that get a backslash before them; no byte of a longer character is one of these. */
const ESCAPES = Uint8Array.from({ length: 256 }, (_, byte) => (byte === QUOTE || byte === BACKSLASH ? 1 : 0))
/** Characters that are taken together; three bytes for each at most. */
const PART = 4096
let bytesOfPart: Buffer | undefined

function writeQuoted(text: string, head: string, tail: string): Buffer {
  bytesOfPart ??= Buffer.allocUnsafeSlow(3 * PART)
  const source = bytesOfPart
  // A quarter for escapes is more than records need; what needs more gets it. The last part has room for twice its
  // length.
  let target: Buffer = Buffer.allocUnsafe(head.length + tail.length + 2 + text.length + (text.length >> 2) + PART)
  let at = target.write(head, 'latin1')
  target[at] = QUOTE
  at += 1
  for (let start = 0; start < text.length;) {
    const end = endOfPart(text, start)
    const length = source.write(text.slice(start, end), 'utf8')
    start = end
    const needed = at + 2 * length + 1 + tail.length
    if (needed > target.length) target = enlarged(target, at, needed + (text.length - end))
    at = escapeInto(target, at, source, length)
  }
  target[at] = QUOTE
  at += 1
  return target.subarray(0, at + target.write(tail, at, 'latin1'))
}

/** A pair of surrogates is not taken apart. */
function endOfPart(text: string, start: number): number {
  const end = Math.min(start + PART, text.length)
  return end < text.length && (text.charCodeAt(end) & 0xfc00) === 0xdc00 ? end - 1 : end
}

/** Without a branch for each byte: the backslash is written in any case, and written over where there is none. */
function escapeInto(target: Buffer, start: number, source: Buffer, length: number): number {
  const escapes = ESCAPES
  let at = start
  for (let index = 0; index < length; index += 1) {
    const byte = source[index] ?? 0
    target[at] = BACKSLASH
    at += escapes[byte] ?? 0
    target[at] = byte
    at += 1
  }
  return at
}

function enlarged(target: Buffer, filled: number, bytes: number): Buffer {
  const larger = Buffer.allocUnsafe(Math.max(bytes, target.length + (target.length >> 1)))
  target.copy(larger, 0, 0, filled)
  return larger
}

/** The text that the JSON string between `start` and `end` (its quotes included) stands for, if it is long and nothing
 *  but quotes is escaped in it; otherwise undefined, whether it is a string or not.
 *  Control characters, which no JSON string may hold, are found by whoever reads the text as JSON: all but spaces,
 *  which are looked for here. */
export function unquoteJson(text: string, start: number, end: number): string | undefined {
  if (end - start < LONG_TO_UNQUOTE || text[start] !== '"' || text[end - 1] !== '"') return undefined
  if (escapesIn(text, start + 1) + escapesIn(text, (start + end) >> 1) > (4 * SAMPLE) / CHARACTERS_PER_ESCAPE)
    return undefined
  const quoted = text.slice(start + 1, end - 1)
  let budget = quoted.length / CHARACTERS_PER_ESCAPE
  let backslash = quoted.indexOf('\\')
  for (let quote = quoted.indexOf('"'); quote !== -1; quote = quoted.indexOf('"', quote + 1)) {
    budget -= 1
    if (backslash !== quote - 1 || budget < 0) return undefined
    backslash = quoted.indexOf('\\', quote)
  }
  if (backslash !== -1 || quoted.includes('\n') || quoted.includes('\r') || quoted.includes('\t')) return undefined
  return quoted.replaceAll('\\"', '"')
}
