/** A source of whole numbers below a bound, the same for the same seed. */
export type Random = (bound: number) => number

/** Mulberry32: enough for choosing where to break an input, and a run is replayed by its seed. */
export function randomFrom(seed: number): Random {
  let state = seed >>> 0
  return (bound) => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)) ^ mixed
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * bound)
  }
}

/** Lengths and counts that readers trust at their peril. */
const NUMBERS = [0, 1, 0x7f, 0x80, 0xff, 0x7fff, 0xffff, 0x7fffffff, 0x80000000, 0xfffffff4, 0xfffffffc, 0xffffffff]
/** Text that means something to one of the parsers. */
const WORDS = [
  '"', '\\', '\\u', '\\ud800', '{', '}', '[', ']', ':', ',', 'null', 'NaN', 'Infinity', '-0', '1e999', '__proto__',
  '%', '%00', '%zz', '@', '/', '//', '?', '&', '=', '#', '::1', ' ', '\n', '\r\n', '\t', '\0', '\ufeff', '\u2028',
  '9007199254740993', 'oslo.message', 'oslo.version', '[DEFAULT]', 'transport_url',
] // prettier-ignore

/** One to four changes of one input of the corpus; `others` are the whole corpus, of which pieces are put in. */
export function mutate(input: Buffer, others: readonly Buffer[], random: Random): Buffer {
  let bytes: Buffer = Buffer.from(input)
  for (let changes = 1 + random(4); changes > 0; changes -= 1) bytes = change(bytes, others, random)
  return bytes
}

function change(bytes: Buffer, others: readonly Buffer[], random: Random): Buffer {
  const at = random(bytes.length + 1)
  const length = Math.min(bytes.length - at, 1 + random(1 + random(64)))
  switch (random(10)) {
    case 0: // One bit.
      if (at < bytes.length) bytes[at] = (bytes[at] ?? 0) ^ (1 << random(8))
      return bytes
    case 1: // One byte.
      if (at < bytes.length) bytes[at] = random(256)
      return bytes
    case 2: // A number that is too large, or negative.
      return overwrite(bytes, at, number(random))
    case 3:
      return splice(bytes, at, 0, Buffer.from(WORDS[random(WORDS.length)] ?? ''))
    case 4: // The end is missing.
      return bytes.subarray(0, at)
    case 5: // A piece is missing.
      return splice(bytes, at, length, Buffer.alloc(0))
    case 6: // A piece comes again, up to a thousand times.
      return splice(bytes, at, 0, repeated(bytes.subarray(at, at + length), 1 + random(1 + random(1_000))))
    case 7: // A piece of another input.
      return splice(bytes, at, random(2) * length, pieceOf(others[random(others.length)] ?? bytes, random))
    case 8:
      return splice(bytes, at, 0, Buffer.from(Array.from({ length: 1 + random(16) }, () => random(256))))
    default: // A piece goes elsewhere.
      return splice(
        splice(bytes, at, length, Buffer.alloc(0)),
        random(bytes.length),
        0,
        bytes.subarray(at, at + length),
      )
  }
}

function number(random: Random): Buffer {
  const value = NUMBERS[random(NUMBERS.length)] ?? 0
  const bytes = Buffer.alloc(4)
  if (random(4) === 0) bytes.writeUInt32LE(value)
  else bytes.writeUInt32BE(value)
  return bytes.subarray(random(2) * 2)
}

function overwrite(bytes: Buffer, at: number, piece: Buffer): Buffer {
  return splice(bytes, at, Math.min(piece.length, bytes.length - at), piece)
}

function splice(bytes: Buffer, at: number, removed: number, piece: Buffer): Buffer {
  return Buffer.concat([bytes.subarray(0, at), piece, bytes.subarray(at + removed)])
}

function repeated(piece: Buffer, times: number): Buffer {
  return Buffer.concat(Array.from({ length: times }, () => piece))
}

function pieceOf(bytes: Buffer, random: Random): Buffer {
  const from = random(bytes.length + 1)
  return bytes.subarray(from, from + random(bytes.length - from + 1))
}
