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
  const groups = new Map<string, Map<string, IniEntry>>()
  let group: Map<string, IniEntry> | undefined
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
      group.set(key, new IniEntry(where, group.get(key), open))
    }
  }
  return { name: file, groups }
}

/** A key as the file has it. Lines that are found later still belong to its last value, so values are joined when they
 *  are read. */
class IniEntry implements SourceEntry {
  readonly where: string
  readonly #texts: (readonly string[])[]

  /** A repeated key keeps all its values and the place of its last one. */
  constructor(where: string, earlier: IniEntry | undefined, lines: readonly string[]) {
    this.where = where
    this.#texts = earlier === undefined ? [] : earlier.#texts
    this.#texts.push(lines)
  }

  get values(): readonly string[] {
    return this.#texts.map((lines) => lines.join('\n'))
  }
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
