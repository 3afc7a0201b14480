/** Which part of a request context notifications carry. They are stored and read by many, so tokens must not be in
 *  them.
 *
 *  - `copy-or-known-keys` (default): what `redactedCopy()` gives when the context has that method; otherwise the known
 *    keys below.
 *  - `copy-or-nothing`: what oslo.messaging does since 14.4: `redactedCopy()`, or else an empty context. Simple objects
 *    are dropped as its plain dicts are.
 *  - `known-keys`: what 14.0.3 does: always the known keys, of `toDict()` when the context has that method.
 *
 *  The default differs from both because contexts are simple objects here more often than not: dropping them would
 *  leave every notification without its request id.
 *  What it sends is never more than 14.0.3 would send. */
export type ContextRedaction = 'copy-or-known-keys' | 'copy-or-nothing' | 'known-keys'

export const CONTEXT_REDACTIONS: readonly ContextRedaction[] = ['copy-or-known-keys', 'copy-or-nothing', 'known-keys']

/** A context that knows what of it may be stored. `redacted_copy` in oslo.context. */
export interface RedactableContext {
  redactedCopy(): object
}

/** Who, where and which request; no tokens, no service catalog. The list of 14.0.3. */
const KNOWN_KEYS: readonly string[] = [
  'user_id',
  'project_id',
  'domain_id',
  'user_domain_id',
  'project_domain_id',
  'is_admin',
  'request_id',
  'roles',
  'user_name',
  'project_name',
  'domain_name',
  'user_domain_name',
  'project_domain_name',
  'service_user_id',
  'service_user_domain_id',
  'service_user_domain_name',
  'service_project_id',
  'service_project_name',
  'service_project_domain_id',
  'service_project_domain_name',
  'service_roles',
  'global_request_id',
  'system_scope',
  // Earlier names of some of the above.
  'user',
  'domain',
  'user_domain',
  'project_domain',
]

/** The part of the context a notification carries; `{}` when there is none. */
export function redactContext(ctxt: object | null | undefined, redaction: ContextRedaction): object {
  if (ctxt === null || ctxt === undefined) return {}
  if (redaction !== 'known-keys' && isRedactable(ctxt)) return ctxt.redactedCopy()
  return redaction === 'copy-or-nothing' ? {} : knownKeys(fieldsOf(ctxt))
}

function isRedactable(ctxt: object): ctxt is RedactableContext {
  return 'redactedCopy' in ctxt && typeof ctxt.redactedCopy === 'function'
}

function fieldsOf(ctxt: object): Readonly<Record<string, unknown>> {
  const fields: unknown = 'toDict' in ctxt && typeof ctxt.toDict === 'function' ? ctxt.toDict() : ctxt
  return typeof fields === 'object' && fields !== null ? (fields as Record<string, unknown>) : {}
}

function knownKeys(fields: Readonly<Record<string, unknown>>): object {
  const kept: Record<string, unknown> = {}
  // In the order of the context, as Python sends them.
  for (const [key, value] of Object.entries(fields)) if (KNOWN_KEYS.includes(key)) kept[key] = value
  return kept
}
