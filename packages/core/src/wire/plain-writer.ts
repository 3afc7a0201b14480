import { looksQuiet, quoteJson } from './nested-json.ts'

/** From so many characters on a text is worth more than a call into the engine, which takes 3 ns for each. */
export const LONG_TEXT = 8192
/** Values that are written one by one on the way to the long ones; what lies beyond is left to the engine. */
const MOST_VALUES = 128

/** What `JSON.stringify` gives for a value made of text, numbers, booleans, null, lists and simple objects, quicker
 *  where it holds long texts.
 *  Undefined only as a field, which is left out. */
export function writePlain(value: unknown): string {
  return write(value, { left: MOST_VALUES })
}

function write(value: unknown, values: { left: number }): string {
  if (typeof value === 'string' && value.length >= LONG_TEXT) return quoteLong(value)
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  const keys = Object.keys(value)
  values.left -= keys.length
  if (values.left < 0) return JSON.stringify(value)
  if (Array.isArray(value)) return `[${value.map((item) => write(item, values)).join(',')}]`
  let text = ''
  for (const key of keys) {
    const field = (value as Record<string, unknown>)[key]
    if (field !== undefined) text += `${text === '' ? '' : ','}${JSON.stringify(key)}:${write(field, values)}`
  }
  return `{${text}}`
}

/** Long texts are most often ASCII without control characters, and that is soon seen. */
function quoteLong(text: string): string {
  const isQuiet = looksQuiet(text) && Buffer.byteLength(text) === text.length && !hasControl(text)
  return isQuiet ? quoteJson(text) : JSON.stringify(text)
}

const BLOCK = 16 * 1024
let block: { readonly bytes: Buffer; readonly words: Uint32Array } | undefined

/** Whether an ASCII text holds a character below the space. Four are looked at together. */
function hasControl(text: string): boolean {
  block ??= newBlock()
  const { bytes, words } = block
  for (let start = 0; start < text.length; start += BLOCK) {
    const part = text.slice(start, start + BLOCK)
    bytes.write(part, 'latin1')
    const count = Math.ceil(part.length / 4)
    // The last word is filled up with spaces.
    bytes.fill(0x20, part.length, count * 4)
    let found = 0
    for (let index = 0; index < count; index += 1) {
      const word = words[index] ?? 0
      found |= (word - 0x20202020) & ~word & 0x80808080
    }
    if (found !== 0) return true
  }
  return false
}

function newBlock(): { readonly bytes: Buffer; readonly words: Uint32Array } {
  const words = new Uint32Array(BLOCK / 4)
  return { words, bytes: Buffer.from(words.buffer) }
}
