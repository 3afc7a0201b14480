/** A value as JSON, for people with `indent` 2 and for programs on one line: integers of any size, and nothing that a
 *  terminal would obey. */
export function jsonText(value: unknown, indent = 0): string {
  return write(value, indent, '').replaceAll(/[\u007f-\u009f]|\p{Cf}/gu, escapeCharacter)
}

/** One value as one line: NDJSON. */
export function jsonLine(value: unknown): string {
  return `${jsonText(value)}\n`
}

function write(value: unknown, indent: number, margin: string): string {
  if (typeof value === 'bigint') return String(value)
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null'
  if ('toJSON' in value && typeof value.toJSON === 'function') return write(value.toJSON(), indent, margin)
  const inner = margin + ' '.repeat(indent)
  const parts = Array.isArray(value)
    ? value.map((item) => write(item, indent, inner))
    : Object.entries(value)
        .filter(([, item]) => item !== undefined)
        .map(([name, item]) => `${JSON.stringify(name)}:${indent === 0 ? '' : ' '}${write(item, indent, inner)}`)
  const [open, close] = Array.isArray(value) ? '[]' : '{}'
  if (parts.length === 0) return `${open}${close}`
  if (indent === 0) return `${open}${parts.join(',')}${close}`
  return `${open}\n${parts.map((part) => inner + part).join(',\n')}\n${margin}${close}`
}

function escapeCharacter(character: string): string {
  return Array.from(
    { length: character.length },
    (_, index) => `\\u${character.charCodeAt(index).toString(16).padStart(4, '0')}`,
  ).join('')
}
