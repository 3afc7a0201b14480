/** The requests of an HTTP service as audit events of CADF, as keystonemiddleware sends them. */

export {
  type AuditedFastify,
  type AuditedRequest,
  type AuditedResponse,
  AuditNotifier,
  type AuditNotifierOptions,
  auditRequests,
} from './audit-notifier.ts'
export { type AuditMap, loadAuditMap, parseAuditMap } from './audit-map.ts'
export type { CatalogService } from './describe-request.ts'
export { keystoneIdentity, type RequestIdentity } from './identity.ts'
