import type { NewCadfResource } from '@oslo-messaging/cadf'
import type { AuditMap } from './audit-map.ts'

/** One service of Keystone's catalog, as the header `X-Service-Catalog` has it. */
export interface CatalogService {
  readonly name: string
  readonly type: string
  readonly endpoints: readonly {
    readonly id?: string
    readonly adminURL?: string
    readonly internalURL?: string
    readonly publicURL?: string
  }[]
}

/** What the action of a request is read from. */
export interface ActionFacts {
  readonly method: string
  /** Without the query. */
  readonly path: string
  /** What was parsed of JSON; undefined: nothing was. */
  readonly body?: unknown
}

/** The action of a request in CADF's words. Source: keystonemiddleware/audit/_api.py, get_action. */
export function actionOf({ method, path, body }: ActionFacts, map: AuditMap): string {
  const ending = cleaned((path.endsWith('/') ? path.slice(0, -1) : path).split('/').at(-1) ?? '')
  const custom = found(map.customActions, `${ending}/${method.toLowerCase()}`) ?? found(map.customActions, ending)
  if (custom !== undefined) return custom
  const isKnown = found(map.pathKeywords, ending) !== undefined
  switch (method) {
    case 'POST':
      if (ending === 'action') return actionOfBody(body)
      return isKnown ? 'create' : 'update'
    case 'GET':
      return isKnown ? 'read/list' : 'read'
    case 'PUT':
    case 'PATCH':
      return 'update'
    case 'DELETE':
      return 'delete'
    case 'HEAD':
      return 'read'
    default:
      return 'unknown'
  }
}

/** The service that was asked, by the catalog: that of the host, else that of the map, else an unknown one.
 *  Source: keystonemiddleware/audit/_api.py, get_target_resource. */
export function targetOf(
  { host, path }: { readonly host: string; readonly path: string },
  catalog: readonly CatalogService[],
  map: AuditMap,
): NewCadfResource {
  const service =
    catalog.find(({ endpoints: [urls] }) => hasPort(host) && [urls?.adminURL, urls?.publicURL].some(isAt(host))) ??
    catalog.findLast(({ type, endpoints }) => endpoints.length > 0 && type === (map.targetEndpointType ?? null))
  const urls = service?.endpoints[0]
  if (service === undefined || urls === undefined) return { typeURI: 'unknown', id: 'unknown', name: 'unknown' }
  const type = found(map.serviceEndpoints, service.type)
  return {
    typeURI: type === undefined ? 'unknown' : `${type}${resourcePath(path, map)}`,
    id: urls.id ?? service.name,
    name: service.name,
    addresses: [
      { name: 'admin', url: urls.adminURL ?? 'unknown' },
      { name: 'private', url: urls.internalURL ?? 'unknown' },
      { name: 'public', url: urls.publicURL ?? 'unknown' },
    ],
  }
}

/** The known parts of a path, and what follows each of them by its kind: `/servers/server/action`. */
export function resourcePath(path: string, { pathKeywords }: AuditMap): string {
  let text = ''
  let before: string | undefined
  for (const part of path.split('/').map(cleaned)) {
    const kind = before === undefined ? undefined : found(pathKeywords, before)
    if (found(pathKeywords, part) !== undefined) text += `/${part}`
    else if (kind !== undefined) text += `/${kind}`
    before = part
  }
  return text
}

/** nova names what is to be done by the first field of the body. */
function actionOfBody(body: unknown): string {
  const [first] = typeof body === 'object' && body !== null && !Array.isArray(body) ? Object.keys(body) : []
  return first === undefined ? 'create' : `update/${first}`
}

function cleaned(part: string): string {
  return part.endsWith('.json') ? part.slice(0, -5) : part
}

function hasPort(host: string): boolean {
  return /:\d+$/.test(host)
}

const isAt =
  (host: string) =>
  (url: string | undefined): boolean =>
    url !== undefined && URL.canParse(url) && /^\w+:\/\/([^/?#]*)/.exec(url)?.[1] === host

function found(values: Readonly<Record<string, string>> | undefined, name: string): string | undefined {
  return values !== undefined && Object.hasOwn(values, name) ? values[name] : undefined
}
