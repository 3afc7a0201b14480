import { SerializationError } from '../errors.ts'

/** Deeper nesting is refused rather than let to exhaust the stack. */
const DEEPEST = 900
/** Python refuses longer integers as well: converting them takes quadratic time. */
const LONGEST_INTEGER = 4300

const SPACE = /[ \t\n\r]*/y
const NUMBER = /-?(?:0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?/y
const WORDS: readonly (readonly [string, unknown])[] = [
  ['true', true],
  ['false', false],
  ['null', null],
  ['NaN', NaN],
  ['Infinity', Infinity],
  ['-Infinity', -Infinity],
]

/** Reads JSON as Python does: with NaN and infinities, and with integers of any length. For texts that `JSON.parse`
 *  refuses or would round. */
export function parseJson(text: string): unknown {
  const parser = new Parser(text)
  const value = parser.value(0)
  parser.end()
  return value
}

class Parser {
  readonly #text: string
  #at = 0

  constructor(text: string) {
    this.#text = text
  }

  value(depth: number): unknown {
    this.#skipSpace()
    switch (this.#text[this.#at]) {
      case '{':
        return this.#object(depth)
      case '[':
        return this.#list(depth)
      case '"':
        return this.#string()
      default:
        return this.#word()
    }
  }

  end(): void {
    this.#skipSpace()
    if (this.#at < this.#text.length) throw this.#error('something follows the value')
  }

  #object(depth: number): Record<string, unknown> {
    this.#descend(depth)
    const object: Record<string, unknown> = {}
    if (this.#takes('}')) return object
    do {
      this.#skipSpace()
      if (this.#text[this.#at] !== '"') throw this.#error('a key in double quotes is missing')
      const key = this.#string()
      if (!this.#takes(':')) throw this.#error('a colon is missing')
      const value = this.value(depth + 1)
      // An assignment to `__proto__` would change the prototype.
      if (key === '__proto__')
        Object.defineProperty(object, key, { value, writable: true, enumerable: true, configurable: true })
      else object[key] = value
    } while (this.#takes(','))
    if (!this.#takes('}')) throw this.#error('a comma or } is missing')
    return object
  }

  #list(depth: number): unknown[] {
    this.#descend(depth)
    const list: unknown[] = []
    if (this.#takes(']')) return list
    do list.push(this.value(depth + 1))
    while (this.#takes(','))
    if (!this.#takes(']')) throw this.#error('a comma or ] is missing')
    return list
  }

  #descend(depth: number): void {
    if (depth >= DEEPEST) throw this.#error(`nested deeper than ${DEEPEST} levels`)
    this.#at += 1
  }

  #string(): string {
    const end = closingQuote(this.#text, this.#at)
    if (end === -1) throw this.#error('a string does not end')
    let value: string
    try {
      value = JSON.parse(this.#text.slice(this.#at, end + 1)) as string
    } catch {
      // The engine's message would quote the text.
      throw this.#error('a string holds a control character or an unknown escape')
    }
    this.#at = end + 1
    return value
  }

  #word(): unknown {
    for (const [word, value] of WORDS) {
      if (!this.#text.startsWith(word, this.#at)) continue
      this.#at += word.length
      return value
    }
    NUMBER.lastIndex = this.#at
    const match = NUMBER.exec(this.#text)
    if (match === null)
      throw this.#error(this.#at >= this.#text.length ? 'the text ends early' : 'no value begins here')
    const [digits, fraction, exponent] = match
    const value = Number(digits)
    const isInteger = fraction === undefined && exponent === undefined
    if (isInteger && digits.length > LONGEST_INTEGER)
      throw this.#error(`an integer has more than ${LONGEST_INTEGER} digits`)
    this.#at += digits.length
    return isInteger && !Number.isSafeInteger(value) ? BigInt(digits) : value
  }

  #takes(character: string): boolean {
    this.#skipSpace()
    if (this.#text[this.#at] !== character) return false
    this.#at += 1
    return true
  }

  #skipSpace(): void {
    SPACE.lastIndex = this.#at
    SPACE.test(this.#text)
    this.#at = SPACE.lastIndex
  }

  #error(what: string): SerializationError {
    return new SerializationError(`Not JSON at position ${this.#at}: ${what}`)
  }
}

/** Index of the quote that ends the string which begins at `start`, -1 when none does. */
function closingQuote(text: string, start: number): number {
  for (let quote = text.indexOf('"', start + 1); quote !== -1; quote = text.indexOf('"', quote + 1)) {
    let backslashes = 0
    while (text[quote - 1 - backslashes] === '\\') backslashes += 1
    if (backslashes % 2 === 0) return quote
  }
  return -1
}
