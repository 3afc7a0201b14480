import type { IncomingHttpHeaders } from 'node:http'
import type { CatalogService } from './describe-request.ts'

/** Who sent a request, and what is known of the services there are. */
export interface RequestIdentity {
  readonly userId?: string | undefined
  readonly userName?: string | undefined
  readonly projectId?: string | undefined
  /** The whole token: what travels of it is masked. */
  readonly token?: string | undefined
  /** `Confirmed` or `Invalid`. */
  readonly identityStatus?: string | undefined
  readonly requestId?: string | undefined
  readonly globalRequestId?: string | undefined
  readonly catalog?: readonly CatalogService[] | undefined
}

const GLOBAL_ID = /^req-[\da-f]{8}-[\da-f]{4}-[\da-f]{4}-[\da-f]{4}-[\da-f]{12}$/i

/** Who sent a request, by the headers that keystonemiddleware's `auth_token`, or a proxy that does as it does, has set.
 *  Anybody can send such headers: use it only behind what removes those that came from outside. */
export function keystoneIdentity({ headers }: { readonly headers: IncomingHttpHeaders }): RequestIdentity {
  const text = (name: string): string | undefined => {
    const value = headers[name]
    return typeof value === 'string' ? value : undefined
  }
  const globalRequestId = text('x-openstack-request-id')
  return {
    userId: text('x-user-id'),
    userName: text('x-user-name'),
    projectId: text('x-project-id'),
    token: text('x-auth-token'),
    identityStatus: text('x-identity-status'),
    globalRequestId: globalRequestId !== undefined && GLOBAL_ID.test(globalRequestId) ? globalRequestId : undefined,
    catalog: catalogOf(text('x-service-catalog')),
  }
}

/** A catalog that cannot be read counts as none: the event must not be lost for it. */
function catalogOf(text: string | undefined): readonly CatalogService[] | undefined {
  if (text === undefined) return undefined
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return undefined
  }
  return Array.isArray(value) ? value.filter(isService) : undefined
}

function isService(value: unknown): value is CatalogService {
  if (typeof value !== 'object' || value === null) return false
  const { name, type, endpoints } = value as Readonly<Record<string, unknown>>
  return typeof name === 'string' && typeof type === 'string' && Array.isArray(endpoints)
}
