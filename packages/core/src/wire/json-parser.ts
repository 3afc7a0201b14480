import { SerializationError } from '../errors.ts'

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
  try {
    const value = parser.value()
    parser.end()
    return value
  } catch (error) {
    // Nested as deep as the engine reads it, unless the stack is exhausted first.
    if (error instanceof RangeError)
      throw new SerializationError('Not JSON that can be read: it is nested deeper than the stack')
    throw error
  }
}

class Parser {
  readonly #text: string
  #at = 0

  constructor(text: string) {
    this.#text = text
  }

  value(): unknown {
    this.#skipSpace()
    switch (this.#text[this.#at]) {
      case '{':
        return this.#object()
      case '[':
        return this.#list()
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

  #object(): Record<string, unknown> {
    this.#at += 1
    const object: Record<string, unknown> = {}
    if (this.#takes('}')) return object
    do {
      this.#skipSpace()
      if (this.#text[this.#at] !== '"') throw this.#error('a key in double quotes is missing')
      const key = this.#string()
      if (!this.#takes(':')) throw this.#error('a colon is missing')
      const value = this.value()
      // An assignment to `__proto__` would change the prototype.
      if (key === '__proto__')
        Object.defineProperty(object, key, { value, writable: true, enumerable: true, configurable: true })
      else object[key] = value
    } while (this.#takes(','))
    if (!this.#takes('}')) throw this.#error('a comma or } is missing')
    return object
  }

  #list(): unknown[] {
    this.#at += 1
    const list: unknown[] = []
    if (this.#takes(']')) return list
    do list.push(this.value())
    while (this.#takes(','))
    if (!this.#takes(']')) throw this.#error('a comma or ] is missing')
    return list
  }

  #string(): string {
    const end = closingQuote(this.#text, this.#at + 1)
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

/** Index of the next quote from `start` on that is not escaped, -1 when there is none. */
export function closingQuote(text: string, start: number): number {
  let quote = text.indexOf('"', start)
  while (quote !== -1 && isEscaped(text, quote)) quote = text.indexOf('"', quote + 1)
  return quote
}

/** Whether the character stands behind an odd number of backslashes. */
export function isEscaped(text: string, at: number): boolean {
  let backslashes = 0
  while (text[at - 1 - backslashes] === '\\') backslashes += 1
  return backslashes % 2 === 1
}
