import { ConfigurationError } from '../errors.ts'
import type { ConfigSource, SourceEntry } from './source.ts'

/** Reads a configuration file as oslo.config writes it.
 *
 *  - `[group]`: everything up to the last bracket of the line is the name, dots included. The same group may come
 *    again.
 *  - `key = value` or `key: value`, whichever sign is first. The rest of the line is the value, `#` and `;` included;
 *    one pair of enclosing quotes is taken off.
 *  - Indented lines go on with the value above, joined by line ends, until an empty line.
 *  - Lines beginning with `#` or `;` are comments, empty lines are skipped, a repeated key keeps every value.
 *
 *  Throws: ConfigurationError with file and line. It never quotes the line, which may hold a password. */
export function parseIni(text: string, file: string): ConfigSource {
  const groups = new Map<string, Map<string, SourceEntry>>()
  let group: Map<string, SourceEntry> | undefined
  // The value being read: indented lines are added to it.
  let open: string[] | undefined

  const lines = text.replace(/^\uFEFF/, '').split(/\r\n|\n|\r/)
  for (const [index, raw] of lines.entries()) {
    const where = `${file}:${index + 1}`
    const line = raw.trimEnd()
    if (line === '') {
      open = undefined
    } else if (/^[ \t]/.test(line)) {
      if (open === undefined) {
        throw problem(
          where,
          'the line is indented, but there is no value above that it could continue; remove the indent',
        )
      }
      open.push(line.trimStart())
    } else if (line.startsWith('[')) {
      open = undefined
      const name = sectionName(line, where)
      group = groups.get(name) ?? new Map()
      groups.set(name, group)
    } else if (line.startsWith('#') || line.startsWith(';')) {
      open = undefined
    } else {
      if (group === undefined) throw problem(where, 'an option needs a group above it; begin the file with [DEFAULT]')
      const { key, value } = splitAssignment(line, where)
      open = [value]
      addLines(group, key, open, where)
    }
  }
  return { name: file, groups }
}

/** The value is joined when it is read, so that lines found later are in it. */
function addLines(group: Map<string, SourceEntry>, key: string, lines: readonly string[], where: string): void {
  const earlier = group.get(key)
  const values = earlier?.values ?? []
  const entry = {
    where,
    get values(): readonly unknown[] {
      return [...values, lines.join('\n')]
    },
  }
  group.set(key, entry)
}

function sectionName(line: string, where: string): string {
  if (!line.endsWith(']')) throw problem(where, 'a line that begins with [ names a group and must end with ]')
  if (line.length === 2) throw problem(where, 'the brackets are empty; put the name of a group between them')
  return line.slice(1, -1)
}

function splitAssignment(line: string, where: string): { key: string; value: string } {
  const sign = line.search(/[=:]/)
  if (sign < 0) throw problem(where, 'neither a group, nor a comment, nor an option; an option is written key = value')
  const key = line.slice(0, sign).trim()
  if (key === '') throw problem(where, 'there is no key before the sign; an option is written key = value')
  const value = line.slice(sign + 1).trim()
  const quoted = /^(["'])([^]*)\1$/.exec(value)
  return { key, value: quoted?.[2] ?? value }
}

function problem(where: string, message: string): ConfigurationError {
  return new ConfigurationError(`${where}: ${message}`)
}
