import { endianness } from 'node:os'
import { isWrittenExactly } from './json-writer.ts'

// A message travels as JSON inside a JSON string. Written straight into bytes it takes none of the three texts of its
// own length that quoting it twice makes, and each value is looked at once.

const QUOTE = 0x22
const BACKSLASH = 0x5c
const COMMA = 0x2c
const SPACE = 0x20

/** What a unit of UTF-16 takes at most: a control character becomes `\\u001f`. */
const MOST_PER_UNIT = 7
/** Kept free beyond any text: quotes, numbers, words and brackets. */
const SPARE = 64
/** Longer texts are handed to the engine part by part. */
const SHORT_TEXT = 48
/** From here on a text is worth a look at the whole of it. */
const LONG_TEXT = 1024
/** Characters that are taken together; three bytes for each at most. */
const PART = 4096
/** Nested deeper than this, a value is left to the writer that notices cycles. */
const DEEPEST = 64
const FIRST_BYTES = 64 * 1024
const MOST_KEPT_BYTES = 1024 * 1024
/** Keys of which the bytes are kept. */
const MOST_KEYS = 2048
const LONGEST_KEY = 64

/** What is being written: `bytes` up to `at`. One for all messages, because each is copied out of it. */
let bytes: Buffer = Buffer.allocUnsafeSlow(0)
let view = new DataView(bytes.buffer)
let at = 0
let isBusy = false

/** The bytes of a message as a JSON string, between `head` and `tail`, which are ASCII, in memory from `allocate`.
 *  Undefined when it holds anything but text, numbers that are written exactly, booleans, null, lists and simple
 *  objects. */
export function writeNested(
  message: object,
  head: string,
  tail: string,
  allocate: (bytes: number) => Buffer,
): Buffer | undefined {
  // A getter of the message may send a message itself.
  if (isBusy || hasFields(Object.prototype)) return undefined
  isBusy = true
  at = 0
  try {
    writeAscii(`${head}"`)
    if (!writeContainer(message, 0)) return undefined
    writeAscii(`"${tail}`)
    const body = allocate(at)
    bytes.copy(body, 0, 0, at)
    return body
  } finally {
    isBusy = false
    if (bytes.length > MOST_KEPT_BYTES) replaceBytes(FIRST_BYTES)
  }
}

/** Fields of the prototype would be taken for those of every object. */
function hasFields(prototype: object): boolean {
  for (const _key in prototype) return true
  return false
}

function writeValue(value: unknown, depth: number): boolean {
  switch (typeof value) {
    case 'string':
      writeText(value)
      return true
    case 'number':
      return writeNumber(value)
    case 'boolean':
      writeAscii(value ? 'true' : 'false')
      return true
    case 'object':
      if (value !== null) return writeContainer(value, depth)
      writeAscii('null')
      return true
    default:
      return false
  }
}

function writeContainer(value: object, depth: number): boolean {
  if (depth === DEEPEST) return false
  const prototype: unknown = Object.getPrototypeOf(value)
  if (prototype === Array.prototype) return Array.isArray(value) && writeList(value, depth + 1)
  if (prototype !== Object.prototype && prototype !== null) return false
  const record = value as Readonly<Record<PropertyKey, unknown>>
  return record[Symbol.iterator] === undefined && writeFields(record, depth + 1)
}

function writeList(list: readonly unknown[], depth: number): boolean {
  writeByte(0x5b)
  for (let index = 0; index < list.length; index += 1) {
    if (index > 0) writeByte(COMMA)
    if (!writeValue(list[index], depth)) return false
  }
  writeByte(0x5d)
  return true
}

function writeFields(record: Readonly<Record<string, unknown>>, depth: number): boolean {
  const start = at
  for (const key in record) {
    const field = record[key]
    if (field === undefined) continue
    writeKey(key)
    if (!writeValue(field, depth)) return false
  }
  // Each key is written with a comma before it.
  if (at === start) writeByte(0x7b)
  else bytes[start] = 0x7b
  writeByte(0x7d)
  return true
}

/** Bytes of `,\"key\":`, four in a word, and how many they are. */
interface Key {
  readonly words: Int32Array
  readonly length: number
}

const keys = new Map<string, Key>()

/** Messages have few keys, and the same ones again and again. */
function writeKey(text: string): void {
  const known = keys.get(text)
  if (known !== undefined) {
    reserve(known.length)
    const { words: ready, length } = known
    const target = view
    const start = at
    for (let index = 0; index < ready.length; index += 1) target.setInt32(start + 4 * index, ready[index] ?? 0, true)
    at = start + length
    return
  }
  const start = at
  writeByte(COMMA)
  writeText(text)
  writeByte(0x3a)
  if (text.length > LONGEST_KEY) return
  if (keys.size >= MOST_KEYS) keys.clear()
  const length = at - start
  reserve(0)
  keys.set(text, {
    length,
    words: Int32Array.from({ length: (length + 3) >> 2 }, (_, index) => view.getInt32(start + 4 * index, true)),
  })
}

function writeByte(byte: number): void {
  reserve(0)
  bytes[at] = byte
  at += 1
}

function writeAscii(text: string): void {
  const { length } = text
  reserve(length)
  const target = bytes
  const start = at
  for (let index = 0; index < length; index += 1) target[start + index] = text.charCodeAt(index)
  at = start + length
}

function writeNumber(value: number): boolean {
  if (!isWrittenExactly(value)) return false
  if ((value | 0) === value && value >= 0 && value < 10) writeByte(0x30 + value)
  else writeAscii(String(value))
  return true
}

/** Units that are not written as they are: 1. */
const ESCAPED = Uint8Array.from({ length: 0x80 }, (_, code) =>
  code < SPACE || code === QUOTE || code === BACKSLASH ? 1 : 0,
)

/** For a few dozen characters a loop is quicker than a call into the engine; it looks at what it wrote afterwards. */
function writeText(text: string): void {
  const { length } = text
  if (length > SHORT_TEXT) {
    writeLong(text)
    return
  }
  reserve(length * MOST_PER_UNIT)
  const target = bytes
  const start = at + 2
  target[at] = BACKSLASH
  target[at + 1] = QUOTE
  let odd = 0
  for (let index = 0; index < length; index += 1) {
    const code = text.charCodeAt(index)
    target[start + index] = code
    odd |= (code & 0xff80) | (ESCAPED[code & 0x7f] ?? 0)
  }
  const end = odd === 0 ? start + length : writeUnits(target, start, text)
  target[end] = BACKSLASH
  target[end + 1] = QUOTE
  at = end + 2
}

function writeLong(text: string): void {
  writeQuote()
  if (writeQuiet(text)) return
  for (let start = 0; start < text.length;) {
    const end = endOfPart(text, start)
    writePart(text.slice(start, end))
    start = end
  }
  writeQuote()
}

/** False when something is to be escaped, or stands for more than a byte: then nothing was written. */
function writeQuiet(text: string): boolean {
  const { length } = text
  // The engine looks for one character many times quicker than a loop for several.
  if (length < LONG_TEXT || text.includes('"') || text.includes('\\')) return false
  reserve(3 * length)
  if (bytes.write(text, at, 'utf8') !== length) return false
  const written = view
  // The last word ends where the text does, so that nothing behind it is looked at.
  const last = at + length - 4
  let found = controlsIn(written.getInt32(last, true))
  for (let index = at; index < last; index += 4) found |= controlsIn(written.getInt32(index, true))
  if (found !== 0) return false
  at += length
  writeQuote()
  return true
}

/** Not 0 when one of the four bytes is below the space. */
function controlsIn(word: number): number {
  return (word - 0x20202020) & ~word & 0x80808080
}

function writeQuote(): void {
  writeByte(BACKSLASH)
  writeByte(QUOTE)
}

/** A pair of surrogates is not taken apart. */
function endOfPart(text: string, start: number): number {
  const end = Math.min(start + PART, text.length)
  return end < text.length && (text.charCodeAt(end) & 0xfc00) === 0xdc00 ? end - 1 : end
}

/** How this machine lays out the words below. */
const IS_LITTLE_ENDIAN = endianness() === 'LE'
const words = new Int32Array((3 * PART) / 4)
const part = Buffer.from(words.buffer)
/** What the engine writes for a surrogate that stands alone. */
const REPLACEMENT = Buffer.from('\ufffd')

function writePart(text: string): void {
  const length = part.write(text, 'utf8')
  reserve(text.length * MOST_PER_UNIT)
  if (length !== text.length && part.subarray(0, length).includes(REPLACEMENT)) at = writeUnits(bytes, at, text)
  else if (isQuiet(length)) at += part.copy(bytes, at, 0, length)
  else at = writeEscaped(bytes, at, length)
}

/** Whether nothing is to be escaped in the first bytes of the part. No byte of a longer character is one of those. */
function isQuiet(length: number): boolean {
  const count = (length + 3) >> 2
  // The last word is filled up.
  for (let index = length; index < count * 4; index += 1) part[index] = SPACE
  let found = 0
  for (let index = 0; index < count; index += 1) found |= escapesIn(words[index] ?? 0)
  return found === 0
}

/** Not 0 when one of the four bytes is a quote, a backslash or below the space. */
function escapesIn(word: number): number {
  const quote = word ^ 0x22222222
  const backslash = word ^ 0x5c5c5c5c
  const below = (word - 0x20202020) & ~word
  return (below | ((quote - 0x01010101) & ~quote) | ((backslash - 0x01010101) & ~backslash)) & 0x80808080
}

/** Writes the first bytes of the part, four at a time where nothing is to be escaped. */
function writeEscaped(target: Buffer, start: number, length: number): number {
  let to = start
  for (let from = 0; from < length;) {
    const word = words[from >> 2] ?? 0
    if ((from & 3) === 0 && from + 4 <= length && escapesIn(word) === 0) {
      view.setInt32(to, word, IS_LITTLE_ENDIAN)
      from += 4
      to += 4
      continue
    }
    const byte = part[from] ?? 0
    from += 1
    if (byte >= 0x80 || ESCAPED[byte] === 0) {
      target[to] = byte
      to += 1
    } else to = writeEscape(target, to, byte)
  }
  return to
}

/** UTF-8, unit by unit. A surrogate that stands alone is escaped, as `JSON.stringify` does. */
function writeUnits(target: Buffer, start: number, text: string): number {
  let to = start
  for (let index = 0; index < text.length; index += 1) {
    const code = text.charCodeAt(index)
    if (code < 0x80) {
      if (ESCAPED[code] === 0) {
        target[to] = code
        to += 1
      } else to = writeEscape(target, to, code)
    } else if (code < 0x800) {
      target[to] = 0xc0 | (code >> 6)
      target[to + 1] = 0x80 | (code & 0x3f)
      to += 2
    } else if ((code & 0xf800) !== 0xd800) {
      target[to] = 0xe0 | (code >> 12)
      target[to + 1] = 0x80 | ((code >> 6) & 0x3f)
      target[to + 2] = 0x80 | (code & 0x3f)
      to += 3
    } else {
      const point = text.codePointAt(index) ?? code
      if (point === code) to = writeUnicodeEscape(target, to, code)
      else {
        target[to] = 0xf0 | (point >> 18)
        target[to + 1] = 0x80 | ((point >> 12) & 0x3f)
        target[to + 2] = 0x80 | ((point >> 6) & 0x3f)
        target[to + 3] = 0x80 | (point & 0x3f)
        to += 4
        index += 1
      }
    }
  }
  return to
}

/** Letters of the control characters that have one; 0: none. */
const LETTERS = Uint8Array.from({ length: SPACE }, (_, code) => {
  const letter = '\b\t\n\f\r'.indexOf(String.fromCharCode(code))
  return letter === -1 ? 0 : 'btnfr'.charCodeAt(letter)
})

/** The escape of a character inside a string inside a string. */
function writeEscape(target: Buffer, to: number, code: number): number {
  target[to] = BACKSLASH
  target[to + 1] = BACKSLASH
  if (code >= SPACE) {
    target[to + 2] = BACKSLASH
    target[to + 3] = code
    return to + 4
  }
  const letter = LETTERS[code] ?? 0
  if (letter === 0) return writeUnicodeEscape(target, to, code)
  target[to + 2] = letter
  return to + 3
}

function writeUnicodeEscape(target: Buffer, to: number, code: number): number {
  const text = `\\\\u${code.toString(16).padStart(4, '0')}`
  for (let index = 0; index < text.length; index += 1) target[to + index] = text.charCodeAt(index)
  return to + text.length
}

/** Makes room for so many bytes and a few more. */
function reserve(length: number): void {
  const needed = at + length + SPARE
  if (needed > bytes.length) replaceBytes(Math.max(FIRST_BYTES, needed + (needed >> 1)))
}

function replaceBytes(size: number): void {
  const before = bytes
  bytes = Buffer.allocUnsafeSlow(size)
  view = new DataView(bytes.buffer)
  before.copy(bytes, 0, 0, Math.min(at, size))
}
