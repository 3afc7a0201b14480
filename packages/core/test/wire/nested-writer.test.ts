import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { wrapEnvelope, writeEnvelope } from '../../src/wire/envelope.ts'
import { encodeJson } from '../../src/wire/json.ts'
import { writeNested } from '../../src/wire/nested-writer.ts'

type Message = Readonly<Record<string, unknown>>

const allocate = (bytes: number): Buffer => Buffer.alloc(bytes)
const write = (message: Message): string | undefined => writeNested(message, '<', '>', allocate)?.toString()
const quotedTwice = (message: Message): string => `<${JSON.stringify(JSON.stringify(message))}>`

/** Every kind of character, alone, beside others, and across the borders of parts. */
const SPECIAL = [
  '"',
  '\\',
  '\n',
  '\u0000',
  '\u001f',
  ' ',
  '\u007f',
  'é',
  'ÿ',
  '\u2028',
  '漢',
  '\ufffd',
  '😀',
  '\ud800',
  '\udc00',
  '"'.repeat(99),
]
const FILLING = [
  '',
  'x'.repeat(47),
  'x'.repeat(4095),
  'y"'.repeat(5000),
  'é'.repeat(3000),
  `${'z'.repeat(79)}\n`.repeat(300),
]
const text = fc
  .array(fc.oneof(fc.constantFrom(...SPECIAL), fc.constantFrom(...FILLING), fc.string({ unit: 'binary' })), {
    maxLength: 4,
  })
  .map((parts) => parts.join(''))

describe('writeNested', () => {
  it('writes what quoting twice gives, whatever the texts and keys are made of', () => {
    fc.assert(
      fc.property(fc.dictionary(text, text), text, (record, long) => {
        const message = { record, long, list: [long, [record]], none: undefined }
        expect(write(message)).toBe(quotedTwice(message))
      }),
      { numRuns: 100 },
    )
  })

  it('writes every number as JSON does', () => {
    const numbers = fc.oneof(fc.double({ noNaN: true, noDefaultInfinity: true }), fc.maxSafeInteger(), fc.integer())
    fc.assert(
      fc.property(fc.array(numbers), (list) => {
        const message = { list: list.filter((number) => Math.abs(number) <= Number.MAX_SAFE_INTEGER), zero: -0 }
        expect(write(message)).toBe(quotedTwice(message))
      }),
    )
  })

  it('takes objects without a prototype, keys like numbers and keys like __proto__', () => {
    const bare: Record<string, unknown> = Object.create(null) as Record<string, unknown>
    bare['b'] = 1
    bare['1'] = {}
    const message = { bare, parsed: JSON.parse('{"__proto__": [], "": null}') as unknown }
    expect(write(message)).toBe(quotedTwice(message))
  })

  it.each([
    ['a Date', { when: new Date(0) }],
    ['a Map', { map: new Map() }],
    ['bytes', { bytes: new Uint8Array(2) }],
    ['an instance', { it: new URL('http://nova') }],
    ['toJSON', { it: { toJSON: (): number => 1 } }],
    ['a bigint', { big: 1n }],
    ['NaN', { it: NaN }],
    ['a number of many digits', { it: 2 ** 60 }],
    ['undefined in a list', { list: [undefined] }],
    ['a function', { it: (): number => 1 }],
    ['an iterable', { it: { *[Symbol.iterator]() {} } }],
    ['a list with a class of its own', { it: new (class extends Array {})() }],
  ])('leaves %s to the writer that knows it', (_name, message: Message) => {
    expect(write(message)).toBeUndefined()
  })

  it('leaves a cycle to the writer that notices it', () => {
    const cycle: Record<string, unknown> = {}
    cycle['self'] = [cycle]
    expect(write(cycle)).toBeUndefined()
    expect(() => writeEnvelope(cycle)).toThrow('it contains itself')
  })

  it('writes a message while another is being written, as a getter may ask for', () => {
    let inner = ''
    const message = {
      before: 'x',
      get during() {
        inner = writeEnvelope({ inner: 'y' }).toString()
        return 1
      },
    }
    expect(writeEnvelope(message).toString()).toBe(wrapEnvelope('{"before":"x","during":1}'))
    expect(inner).toBe(wrapEnvelope('{"inner":"y"}'))
  })

  it('forgets keys when there are many of them, and writes them all the same', () => {
    for (let index = 0; index < 5000; index += 1) {
      const message = { [`key "${index}`]: index }
      expect(write(message)).toBe(quotedTwice(message))
    }
  })

  it('writes no field that a prototype has', () => {
    Reflect.set(Object.prototype, 'inherited', 1)
    try {
      expect(writeEnvelope({ own: 1 }).toString()).toBe(wrapEnvelope('{"own":1}'))
    } finally {
      Reflect.deleteProperty(Object.prototype, 'inherited')
    }
  })
})

describe('writeEnvelope', () => {
  it('has the bytes of its text, for messages of every kind and size', () => {
    const message = fc.dictionary(
      text,
      fc.oneof(
        fc.jsonValue(),
        fc.date({ noInvalidDate: true, min: new Date(0), max: new Date(2 ** 41) }),
        fc.bigInt(),
        text,
      ),
    )
    fc.assert(
      fc.property(message, (fields) => {
        expect(writeEnvelope(fields).equals(Buffer.from(wrapEnvelope(encodeJson(fields))))).toBe(true)
      }),
    )
  })

  it('says where the message cannot be sent', () => {
    expect(() => writeEnvelope({ args: { run: (): number => 1 } })).toThrow('args.run')
    expect(() =>
      writeEnvelope({
        get broken(): never {
          throw new Error('no such row')
        },
      }),
    ).toThrow('no such row')
  })

  it('uses the memory it is given, and exactly as much as it asked for', () => {
    const lent: Buffer[] = []
    const body = writeEnvelope({ text: 'x'.repeat(70_000) }, (bytes) => {
      lent.push(Buffer.alloc(bytes))
      return lent[0] ?? Buffer.alloc(0)
    })
    expect(lent).toEqual([body])
  })
})
