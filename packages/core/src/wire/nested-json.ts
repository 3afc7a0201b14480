// JSON inside a JSON string, as text. The engine goes through it one character at a time; looking for escapes is many
// times quicker where they are few.

/** Shorter texts are left to the engine. */
const LONG_TO_QUOTE = 512
/** With more than one escape for so many characters it does not pay to look for them. */
const CHARACTERS_PER_ESCAPE = 32

/** What `JSON.stringify` gives for a text that is JSON itself, as `encodeJson` writes it: without line breaks, other
 *  control characters and lone surrogates. */
export function quoteJson(text: string): string {
  return quoteFew(text) ?? JSON.stringify(text)
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
