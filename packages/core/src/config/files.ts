import { readFile } from 'node:fs/promises'
import { extname } from 'node:path'
import { ConfigurationError } from '../errors.ts'
import { parseIni } from './ini.ts'
import { type ConfigSource, sourceFromObject } from './source.ts'

/** Reads one configuration file: `.yaml`, `.yml` and `.json` by their ending, everything else as oslo.config's INI.
 *  Throws: ConfigurationError that names the file, and the line where there is one. It quotes nothing of the file and
 *  has no cause that does. */
export async function readConfigFile(file: string): Promise<ConfigSource> {
  const text = await readText(file)
  const ending = extname(file).toLowerCase()
  if (ending === '.json') return { ...fromDocument(file, parseJson(file, text)), accumulates: true }
  if (ending === '.yaml' || ending === '.yml')
    return { ...fromDocument(file, await parseYaml(file, text)), accumulates: true }
  return { ...parseIni(text, file), accumulates: true }
}

async function readText(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8')
  } catch (cause) {
    throw new ConfigurationError(`The configuration file ${file} cannot be read; check its path and permissions`, {
      cause,
    })
  }
}

function parseJson(file: string, text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    // The parser's message quotes the text around the fault, which may be a password.
    const position = /position (\d+)/.exec(error instanceof Error ? error.message : '')?.[1]
    const line = position === undefined ? '' : `:${text.slice(0, Number(position)).split('\n').length}`
    throw new ConfigurationError(`${file}${line}: not valid JSON`)
  }
}

async function parseYaml(file: string, text: string): Promise<unknown> {
  const { LineCounter, parseDocument } = await import('yaml')
  const lines = new LineCounter()
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false })
  const [error] = document.errors
  if (error !== undefined) {
    throw new ConfigurationError(`${file}:${lines.linePos(error.pos[0]).line}: not valid YAML (${error.code})`)
  }
  try {
    return document.toJS()
  } catch {
    // Aliases without an anchor, or too many of them; the message would quote them.
    throw new ConfigurationError(`${file}: not valid YAML (an alias that leads nowhere, or too many of them)`)
  }
}

/** `{ group: { option: value } }`. Whatever else is at the top belongs to others, unless it would hide a mistake. */
function fromDocument(file: string, value: unknown): ConfigSource {
  if (value === null || value === undefined) return { name: file, groups: new Map() }
  if (typeof value !== 'object' || Array.isArray(value)) {
    throw new ConfigurationError(
      `${file}: the top must be groups, each with its options, e.g. DEFAULT with transport_url`,
    )
  }
  for (const [group, options] of Object.entries(value)) {
    const isOurs = group === 'DEFAULT' || group === 'transport_url' || group.startsWith('oslo_messaging_')
    if (isOurs && options !== null && (typeof options !== 'object' || Array.isArray(options))) {
      throw new ConfigurationError(
        `${file}: ${group} must be a group of options${group === 'transport_url' ? ', or stand inside of one, usually DEFAULT' : ''}`,
      )
    }
  }
  return sourceFromObject(file, value)
}
