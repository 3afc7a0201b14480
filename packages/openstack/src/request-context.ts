import { randomUUID } from 'node:crypto'
import { inspect, type InspectOptions } from 'node:util'

type Dict = Readonly<Record<string, unknown>>

/** The fields of a request context; all may be left out. Names are those of oslo.context, in camelCase. */
export interface RequestContextFields {
  readonly authToken?: string | null
  readonly userId?: string | null
  readonly projectId?: string | null
  readonly domainId?: string | null
  readonly userDomainId?: string | null
  readonly projectDomainId?: string | null
  readonly isAdmin?: boolean | null
  readonly readOnly?: boolean
  readonly showDeleted?: boolean
  /** Default: a new one, `req-` and a UUID. */
  readonly requestId?: string | null
  readonly resourceUuid?: string | null
  readonly roles?: readonly string[] | null
  readonly userName?: string | null
  readonly projectName?: string | null
  readonly domainName?: string | null
  readonly userDomainName?: string | null
  readonly projectDomainName?: string | null
  /** Default true, as in oslo. */
  readonly isAdminProject?: boolean
  readonly serviceToken?: string | null
  readonly serviceUserId?: string | null
  readonly serviceUserName?: string | null
  readonly serviceUserDomainId?: string | null
  readonly serviceUserDomainName?: string | null
  readonly serviceProjectId?: string | null
  readonly serviceProjectName?: string | null
  readonly serviceProjectDomainId?: string | null
  readonly serviceProjectDomainName?: string | null
  readonly serviceRoles?: readonly string[] | null
  readonly globalRequestId?: string | null
  readonly systemScope?: string | null
  /** What a service adds of its own (nova: `read_deleted`, `service_catalog`, ...), under the names on the wire. */
  readonly extra?: Dict
}

/** Who asks for what on whose behalf: what every message between OpenStack services carries. Immutable.
 *
 *  `toDict` writes what oslo.context writes; `toJSON` is what travels: that, the names, and `user_id` and `domain_id`,
 *  which nova, cinder and neutron read beside the older `user` and `domain`. Tokens travel in calls, as in Python;
 *  notifications carry `redactedCopy()`, and prints mask them. Source: oslo_context/context.py (6.5.0). */
export class RequestContext {
  readonly authToken: string | null
  readonly userId: string | null
  readonly projectId: string | null
  readonly domainId: string | null
  readonly userDomainId: string | null
  readonly projectDomainId: string | null
  readonly isAdmin: boolean | null
  readonly readOnly: boolean
  readonly showDeleted: boolean
  readonly requestId: string
  readonly resourceUuid: string | null
  readonly roles: readonly string[]
  readonly userName: string | null
  readonly projectName: string | null
  readonly domainName: string | null
  readonly userDomainName: string | null
  readonly projectDomainName: string | null
  readonly isAdminProject: boolean
  readonly serviceToken: string | null
  readonly serviceUserId: string | null
  readonly serviceUserName: string | null
  readonly serviceUserDomainId: string | null
  readonly serviceUserDomainName: string | null
  readonly serviceProjectId: string | null
  readonly serviceProjectName: string | null
  readonly serviceProjectDomainId: string | null
  readonly serviceProjectDomainName: string | null
  readonly serviceRoles: readonly string[]
  readonly globalRequestId: string | null
  readonly systemScope: string | null
  readonly extra: Dict

  constructor(fields: RequestContextFields = {}) {
    this.authToken = fields.authToken ?? null
    this.userId = fields.userId ?? null
    this.projectId = fields.projectId ?? null
    this.domainId = fields.domainId ?? null
    this.userDomainId = fields.userDomainId ?? null
    this.projectDomainId = fields.projectDomainId ?? null
    this.isAdmin = fields.isAdmin === undefined ? false : fields.isAdmin
    this.readOnly = fields.readOnly ?? false
    this.showDeleted = fields.showDeleted ?? false
    // Empty text counts as none, as in Python.
    this.requestId = fields.requestId || `req-${randomUUID()}`
    this.resourceUuid = fields.resourceUuid ?? null
    this.roles = fields.roles ?? []
    this.userName = fields.userName ?? null
    this.projectName = fields.projectName ?? null
    this.domainName = fields.domainName ?? null
    this.userDomainName = fields.userDomainName ?? null
    this.projectDomainName = fields.projectDomainName ?? null
    this.isAdminProject = fields.isAdminProject ?? true
    this.serviceToken = fields.serviceToken ?? null
    this.serviceUserId = fields.serviceUserId ?? null
    this.serviceUserName = fields.serviceUserName ?? null
    this.serviceUserDomainId = fields.serviceUserDomainId ?? null
    this.serviceUserDomainName = fields.serviceUserDomainName ?? null
    this.serviceProjectId = fields.serviceProjectId ?? null
    this.serviceProjectName = fields.serviceProjectName ?? null
    this.serviceProjectDomainId = fields.serviceProjectDomainId ?? null
    this.serviceProjectDomainName = fields.serviceProjectDomainName ?? null
    this.serviceRoles = fields.serviceRoles ?? []
    this.globalRequestId = fields.globalRequestId ?? null
    this.systemScope = fields.systemScope ?? null
    this.extra = fields.extra ?? {}
  }

  /** A context from what arrived, whichever service wrote it. Fields of a wrong kind count as absent, because contexts
   *  come from other services and a request must not fail for one; they, and fields unknown here, are in `extra`. */
  static fromDict(given: object): RequestContext {
    const values: Dict = { ...given }
    const extra = new Map<string, unknown>()
    for (const [name, value] of Object.entries(values)) if (!KNOWN.has(name)) extra.set(name, value)
    const read = <T>(name: string, fits: (value: unknown) => value is T): T | null => {
      const value = values[name]
      if (value === undefined || value === null) return null
      if (fits(value)) return value
      extra.set(name, value)
      return null
    }
    const text = (name: string): string | null => read(name, isText)
    return new RequestContext({
      authToken: text('auth_token'),
      userId: text('user_id') ?? text('user'),
      projectId: text('project_id'),
      domainId: text('domain_id') ?? text('domain'),
      userDomainId: text('user_domain'),
      projectDomainId: text('project_domain'),
      // Null asks the service's own policy in Python; absent means no.
      isAdmin: values['is_admin'] === null ? null : (read('is_admin', isFlag) ?? false),
      readOnly: read('read_only', isFlag) ?? false,
      showDeleted: read('show_deleted', isFlag) ?? false,
      requestId: text('request_id'),
      globalRequestId: text('global_request_id'),
      resourceUuid: text('resource_uuid'),
      roles: read('roles', isTexts),
      userName: text('user_name'),
      projectName: text('project_name'),
      domainName: text('domain_name'),
      userDomainName: text('user_domain_name'),
      projectDomainName: text('project_domain_name'),
      isAdminProject: read('is_admin_project', isFlag) ?? true,
      systemScope: text('system_scope'),
      extra: Object.fromEntries(extra),
    })
  }

  /** A context from the headers of an HTTP request that keystonemiddleware, or a proxy that does as it does, has
   *  checked. **Anybody can send these headers**: use it only behind what sets them. `requestId` is not among them. */
  static fromHeaders(
    headers: Readonly<Record<string, string | readonly string[] | undefined>>,
    fields: RequestContextFields = {},
  ): RequestContext {
    const header = (...names: readonly string[]): string | null => {
      const value = names.map((name) => headers[name]).find((found) => found !== undefined)
      return (typeof value === 'string' ? value : value?.join(',')) ?? null
    }
    const list = (value: string | null): readonly string[] =>
      value === null || value === '' ? [] : value.split(',').map((role) => role.trim())
    return new RequestContext({
      authToken: header('x-auth-token', 'x-storage-token'),
      userId: header('x-user-id', 'x-user'),
      projectId: header('x-project-id', 'x-tenant-id', 'x-tenant'),
      domainId: header('x-domain-id'),
      userDomainId: header('x-user-domain-id'),
      projectDomainId: header('x-project-domain-id'),
      userName: header('x-user-name'),
      projectName: header('x-project-name', 'x-tenant-name'),
      domainName: header('x-domain-name'),
      userDomainName: header('x-user-domain-name'),
      projectDomainName: header('x-project-domain-name'),
      systemScope: header('openstack-system-scope'),
      serviceToken: header('x-service-token'),
      serviceUserId: header('x-service-user-id'),
      serviceUserName: header('x-service-user-name'),
      serviceUserDomainId: header('x-service-user-domain-id'),
      serviceUserDomainName: header('x-service-user-domain-name'),
      serviceProjectId: header('x-service-project-id'),
      serviceProjectName: header('x-service-project-name'),
      serviceProjectDomainId: header('x-service-project-domain-id'),
      serviceProjectDomainName: header('x-service-project-domain-name'),
      roles: list(header('x-roles', 'x-role')),
      serviceRoles: list(header('x-service-roles')),
      isAdminProject: (header('x-is-admin-project') ?? 'true').toLowerCase() === 'true',
      ...fields,
    })
  }

  /** The request id to hand on to other services: the global one where there is one. */
  get globalId(): string {
    return this.globalRequestId ?? this.requestId
  }

  /** A copy with some fields replaced. */
  with(changes: RequestContextFields): RequestContext {
    const fields: RequestContextFields = Object.assign({}, this, changes)
    return new RequestContext(fields)
  }

  /** Exactly what oslo.context's `to_dict` gives. */
  toDict(): Dict {
    const who = [this.userId, this.projectId, this.domainId, this.userDomainId, this.projectDomainId]
    return {
      user: this.userId,
      project_id: this.projectId,
      system_scope: this.systemScope,
      project: this.projectId,
      domain: this.domainId,
      user_domain: this.userDomainId,
      project_domain: this.projectDomainId,
      is_admin: this.isAdmin,
      read_only: this.readOnly,
      show_deleted: this.showDeleted,
      auth_token: this.authToken,
      request_id: this.requestId,
      global_request_id: this.globalRequestId,
      resource_uuid: this.resourceUuid,
      roles: this.roles,
      user_identity: who.map((id) => id || '-').join(' '),
      is_admin_project: this.isAdminProject,
    }
  }

  /** What travels in messages: `toDict`, the names, `user_id`, `domain_id`, and `extra`. */
  toJSON(): Dict {
    return {
      ...this.toDict(),
      user_id: this.userId,
      domain_id: this.domainId,
      ...this.#names(),
      ...this.extra,
    }
  }

  /** For logs: names and ids, the token masked. As `get_logging_values`. */
  toLoggingValues(): Dict {
    return { ...this.#names(), ...this.toDict(), auth_token: this.authToken ? '***' : null }
  }

  /** Without tokens, catalog and whatever else a service adds: what notifications carry. As `redacted_copy`. */
  redactedCopy(): RequestContext {
    return this.with({
      authToken: null,
      serviceToken: null,
      serviceUserName: null,
      readOnly: false,
      showDeleted: false,
      resourceUuid: null,
      isAdminProject: true,
      extra: {},
    })
  }

  #names(): Dict {
    return {
      user_name: this.userName,
      project_name: this.projectName,
      domain_name: this.domainName,
      user_domain_name: this.userDomainName,
      project_domain_name: this.projectDomainName,
    }
  }
}

// Tokens and `extra`, where services keep catalogs, are not printed.
Object.defineProperty(RequestContext.prototype, inspect.custom, {
  value(this: RequestContext, _depth: number, options: InspectOptions): string {
    return `RequestContext ${inspect(this.toLoggingValues(), options)}`
  },
})

const isText = (value: unknown): value is string => typeof value === 'string'
const isFlag = (value: unknown): value is boolean => typeof value === 'boolean'
const isTexts = (value: unknown): value is readonly string[] => Array.isArray(value) && value.every(isText)

/** Names on the wire that have a field, or follow from others. */
const KNOWN: ReadonlySet<string> = new Set([
  ...Object.keys(new RequestContext({ requestId: '-' }).toJSON()),
  'project',
  'user_identity',
])
