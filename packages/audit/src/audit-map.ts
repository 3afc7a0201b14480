import { readFile } from 'node:fs/promises'

/** What the paths of an API mean. Source: the audit map files of pyCADF (`etc/pycadf/*_api_audit_map.conf`). */
export interface AuditMap {
  /** Type of the service in the catalog that is meant when none has the host that was asked. */
  readonly targetEndpointType?: string
  /** The end of a path, or that and a method (`os-migrations/get`), to an action of CADF. */
  readonly customActions?: Readonly<Record<string, string>>
  /** A part of a path to the name of what follows it: `servers` to `server`. */
  readonly pathKeywords?: Readonly<Record<string, string>>
  /** Type of a service in the catalog to the beginning of a resource's type: `compute` to `service/compute`. */
  readonly serviceEndpoints?: Readonly<Record<string, string>>
}

/** The audit map of a file, as keystonemiddleware's `audit_map_file`. Rejects when it cannot be read. */
export async function loadAuditMap(path: string): Promise<AuditMap> {
  return parseAuditMap(await readFile(path, 'utf8'))
}

/** The audit map of a text in the INI format. Names are in lower case, as Python reads them; other sections are passed
 *  over. Throws SyntaxError for a line that is neither a section nor a name with a value. */
export function parseAuditMap(text: string): AuditMap {
  const sections = new Map<string, Map<string, string>>()
  let section: Map<string, string> | undefined
  for (const [index, line] of text.split(/\r?\n/).entries()) {
    if (/^\s*([#;]|$)/.test(line)) continue
    const heading = /^\[([^\]]+)\]\s*$/.exec(line)?.[1]
    const [, name, value] = /^\s*([^=:]+?)\s*[=:]\s*(.*?)\s*$/.exec(line) ?? []
    if (heading !== undefined) {
      section = sections.get(heading) ?? new Map<string, string>()
      sections.set(heading, section)
    } else if (section === undefined || name === undefined || value === undefined) {
      throw new SyntaxError(`Line ${index + 1} of the audit map is neither a section nor a name with a value: ${line}`)
    } else section.set(name.toLowerCase(), value)
  }
  const valuesOf = (name: string): Readonly<Record<string, string>> => Object.fromEntries(sections.get(name) ?? [])
  const targetEndpointType = sections.get('DEFAULT')?.get('target_endpoint_type')
  return {
    ...(targetEndpointType === undefined ? {} : { targetEndpointType }),
    customActions: valuesOf('custom_actions'),
    pathKeywords: valuesOf('path_keywords'),
    serviceEndpoints: valuesOf('service_endpoints'),
  }
}
