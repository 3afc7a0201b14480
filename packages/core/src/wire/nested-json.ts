// JSON inside a JSON string. The engine goes through it one character at a time; where escapes are few, looking for
// them is many times quicker.

/** Shorter texts are left to the engine. */
const LONG_TO_QUOTE = 512
const LONG_TO_UNQUOTE = 4096
/** With more than one escape for so many characters the engine is quicker. */
const CHARACTERS_PER_ESCAPE = 32

/** What `JSON.stringify` gives for a text that is JSON itself, as `encodeJson` writes it: without line breaks, other
 *  control characters and lone surrogates. */
export function quoteJson(text: string): string {
  if (text.length < LONG_TO_QUOTE || !hasFewEscapes(text)) return JSON.stringify(text)
  const escaped = text.includes('\\') ? text.replaceAll('\\', '\\\\') : text
  return `"${escaped.replaceAll('"', '\\"')}"`
}

function hasFewEscapes(text: string): boolean {
  let budget = text.length / CHARACTERS_PER_ESCAPE
  for (const character of ['"', '\\'])
    for (let at = text.indexOf(character); at !== -1; at = text.indexOf(character, at + 1)) {
      budget -= 1
      if (budget < 0) return false
    }
  return true
}

/** The text that the JSON string between `start` and `end` (its quotes included) stands for, if it is long and nothing
 *  but quotes is escaped in it; otherwise undefined, whether it is a string or not.
 *  Control characters, which no JSON string may hold, are found by whoever reads the text as JSON: all but spaces,
 *  which are looked for here. */
export function unquoteJson(text: string, start: number, end: number): string | undefined {
  if (end - start < LONG_TO_UNQUOTE || text[start] !== '"' || text[end - 1] !== '"') return undefined
  const quoted = text.slice(start + 1, end - 1)
  if (quoted.includes('\n') || quoted.includes('\r') || quoted.includes('\t')) return undefined
  let budget = quoted.length / CHARACTERS_PER_ESCAPE
  let backslash = quoted.indexOf('\\')
  for (let quote = quoted.indexOf('"'); quote !== -1; quote = quoted.indexOf('"', quote + 1)) {
    budget -= 1
    if (backslash !== quote - 1 || budget < 0) return undefined
    backslash = quoted.indexOf('\\', quote)
  }
  return backslash === -1 ? quoted.replaceAll('\\"', '"') : undefined
}
