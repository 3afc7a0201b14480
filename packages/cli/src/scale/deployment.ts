import { readFile } from 'node:fs/promises'
import { errorText } from '../text/error-text.ts'
import { isRecord } from '../text/words.ts'
import { UsageError } from '../usage-error.ts'

/** One kind of service, as often as it runs. */
export interface ServiceKind {
  readonly name: string
  /** Machines or containers; each has a server name of its own. */
  readonly instances: number
  /** Of each instance; they share its server name. */
  readonly processes: number
  /** Topics it serves. */
  readonly server: readonly string[]
  /** Topics it calls or casts to. */
  readonly client: readonly string[]
  /** Topics it notifies. */
  readonly notify: readonly string[]
  /** Topics it listens to, `TOPIC` or `TOPIC:POOL`. */
  readonly listen: readonly string[]
  /** Priorities of its notifications; empty: all. */
  readonly priorities: readonly string[]
}

const LISTS = ['server', 'client', 'notify', 'listen', 'priorities'] as const
const NUMBERS = ['instances', 'processes'] as const
const KNOWN: readonly string[] = [...LISTS, ...NUMBERS]

/** Reads a file such as
 *
 *  ```yaml
 *  services:
 *    compute: { instances: 1000, server: [compute], client: [conductor], notify: [notifications] }
 *    conductor: { instances: 10, processes: 8, server: [conductor], client: [compute] }
 *  ```
 *
 *  as YAML or JSON. Throws UsageError that names the field. */
export async function readDeployment(file: string): Promise<readonly ServiceKind[]> {
  let text: string
  try {
    text = await readFile(file, 'utf8')
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : errorText(error)
    throw new UsageError(`--deployment: ${file} cannot be read (${code})`)
  }
  const { parse } = await import('yaml')
  let value: unknown
  try {
    value = parse(text)
  } catch (error) {
    throw new UsageError(`--deployment: ${file}: ${errorText(error).split('\n')[0] ?? ''}`)
  }
  const services = isRecord(value) ? value['services'] : undefined
  if (!isRecord(services) || Object.keys(services).length === 0)
    throw new UsageError(`--deployment: ${file} needs "services", a mapping from a name to what it does`)
  return Object.entries(services).map(([name, fields]) => readService(`${file}: services.${name}`, name, fields))
}

function readService(where: string, name: string, value: unknown): ServiceKind {
  if (!isRecord(value)) throw new UsageError(`--deployment: ${where} must be a mapping`)
  const unknown = Object.keys(value).find((key) => !KNOWN.includes(key))
  if (unknown !== undefined)
    throw new UsageError(`--deployment: ${where} has no field ${unknown}; there are ${KNOWN.join(', ')}`)
  const list = (field: (typeof LISTS)[number]): readonly string[] => {
    const given = value[field] ?? []
    const words: readonly unknown[] = Array.isArray(given) ? given : [given]
    if (!words.every((word): word is string => typeof word === 'string' && word !== ''))
      throw new UsageError(`--deployment: ${where}.${field} must be a list of names`)
    return words
  }
  const number = (field: (typeof NUMBERS)[number]): number => {
    const given = value[field] ?? 1
    if (typeof given !== 'number' || !Number.isInteger(given) || given < 1)
      throw new UsageError(`--deployment: ${where}.${field} must be a whole number above 0`)
    return given
  }
  return {
    name,
    instances: number('instances'),
    processes: number('processes'),
    server: list('server'),
    client: list('client'),
    notify: list('notify'),
    listen: list('listen'),
    priorities: list('priorities'),
  }
}
