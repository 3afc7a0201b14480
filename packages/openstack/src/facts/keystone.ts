/** Made by facts/facts.py from keystone 30.0.0, pycadf 4.1.0; not edited by hand. */
import type { ServiceFacts } from './kinds.ts'
/** `AuditEvent` of keystone. */
export interface KeystoneAuditEvent {
  readonly typeURI?: string
  readonly eventType?: string
  readonly id?: string
  readonly eventTime?: string
  readonly initiator?: Readonly<Record<string, unknown>>
  readonly initiatorId?: string
  readonly action?: string
  readonly target?: Readonly<Record<string, unknown>>
  readonly targetId?: string
  readonly outcome?: string
  readonly reason?: Readonly<Record<string, unknown>>
  readonly severity?: string
  readonly name?: string
  readonly measurements?: readonly unknown[]
  readonly tags?: readonly string[]
  readonly attachments?: readonly unknown[]
  readonly observer?: Readonly<Record<string, unknown>>
  readonly observerId?: string
  readonly reporterchain?: readonly unknown[]
  readonly resource_info?: string
  readonly actor_id?: string
  readonly actor_type?: string
  readonly actor_operation?: string
  readonly request_id?: string
  readonly global_request_id?: string
  readonly project?: string
  readonly domain?: string
  readonly user?: string
  readonly group?: string
  readonly role?: string
  readonly inherited_to_projects?: boolean
}
/** What keystone notifies: event type to payload. */
export interface KeystoneNotifications {
  readonly 'identity.access_rule.deleted': KeystoneAuditEvent
  readonly 'identity.application_credential.created': KeystoneAuditEvent
  readonly 'identity.application_credential.deleted': KeystoneAuditEvent
  readonly 'identity.authenticate': KeystoneAuditEvent
  readonly 'identity.credential.created': KeystoneAuditEvent
  readonly 'identity.credential.deleted': KeystoneAuditEvent
  readonly 'identity.domain.created': KeystoneAuditEvent
  readonly 'identity.domain.deleted': KeystoneAuditEvent
  readonly 'identity.domain.updated': KeystoneAuditEvent
  readonly 'identity.endpoint.created': KeystoneAuditEvent
  readonly 'identity.endpoint.deleted': KeystoneAuditEvent
  readonly 'identity.endpoint.updated': KeystoneAuditEvent
  readonly 'identity.group.created': KeystoneAuditEvent
  readonly 'identity.group.deleted': KeystoneAuditEvent
  readonly 'identity.group.updated': KeystoneAuditEvent
  readonly 'identity.policy.created': KeystoneAuditEvent
  readonly 'identity.policy.deleted': KeystoneAuditEvent
  readonly 'identity.policy.updated': KeystoneAuditEvent
  readonly 'identity.project.created': KeystoneAuditEvent
  readonly 'identity.project.deleted': KeystoneAuditEvent
  readonly 'identity.project.updated': KeystoneAuditEvent
  readonly 'identity.region.created': KeystoneAuditEvent
  readonly 'identity.region.deleted': KeystoneAuditEvent
  readonly 'identity.region.updated': KeystoneAuditEvent
  readonly 'identity.role.created': KeystoneAuditEvent
  readonly 'identity.role.deleted': KeystoneAuditEvent
  readonly 'identity.role.updated': KeystoneAuditEvent
  readonly 'identity.role_assignment.created': KeystoneAuditEvent
  readonly 'identity.role_assignment.deleted': KeystoneAuditEvent
  readonly 'identity.service.created': KeystoneAuditEvent
  readonly 'identity.service.deleted': KeystoneAuditEvent
  readonly 'identity.service.updated': KeystoneAuditEvent
  readonly 'identity.user.created': KeystoneAuditEvent
  readonly 'identity.user.deleted': KeystoneAuditEvent
  readonly 'identity.user.updated': KeystoneAuditEvent
}
/** The payloads of keystone as data, to check what arrives. */
export const KEYSTONE: ServiceFacts = {
  service: 'keystone',
  source: 'keystone 30.0.0, pycadf 4.1.0',
  prefix: null,
  objects: {
    AuditEvent: {
      fields: {
        typeURI: '~string',
        eventType: '~string',
        id: '~string',
        eventTime: '~string',
        initiator: '~{any}',
        initiatorId: '~string',
        action: '~string',
        target: '~{any}',
        targetId: '~string',
        outcome: '~string',
        reason: '~{any}',
        severity: '~string',
        name: '~string',
        measurements: '~any[]',
        tags: '~string[]',
        attachments: '~any[]',
        observer: '~{any}',
        observerId: '~string',
        reporterchain: '~any[]',
        resource_info: '~string',
        actor_id: '~string',
        actor_type: '~string',
        actor_operation: '~string',
        request_id: '~string',
        global_request_id: '~string',
        project: '~string',
        domain: '~string',
        user: '~string',
        group: '~string',
        role: '~string',
        inherited_to_projects: '~boolean',
      },
    },
  },
  events: {
    'identity.access_rule.deleted': 'AuditEvent',
    'identity.application_credential.created': 'AuditEvent',
    'identity.application_credential.deleted': 'AuditEvent',
    'identity.authenticate': 'AuditEvent',
    'identity.credential.created': 'AuditEvent',
    'identity.credential.deleted': 'AuditEvent',
    'identity.domain.created': 'AuditEvent',
    'identity.domain.deleted': 'AuditEvent',
    'identity.domain.updated': 'AuditEvent',
    'identity.endpoint.created': 'AuditEvent',
    'identity.endpoint.deleted': 'AuditEvent',
    'identity.endpoint.updated': 'AuditEvent',
    'identity.group.created': 'AuditEvent',
    'identity.group.deleted': 'AuditEvent',
    'identity.group.updated': 'AuditEvent',
    'identity.policy.created': 'AuditEvent',
    'identity.policy.deleted': 'AuditEvent',
    'identity.policy.updated': 'AuditEvent',
    'identity.project.created': 'AuditEvent',
    'identity.project.deleted': 'AuditEvent',
    'identity.project.updated': 'AuditEvent',
    'identity.region.created': 'AuditEvent',
    'identity.region.deleted': 'AuditEvent',
    'identity.region.updated': 'AuditEvent',
    'identity.role.created': 'AuditEvent',
    'identity.role.deleted': 'AuditEvent',
    'identity.role.updated': 'AuditEvent',
    'identity.role_assignment.created': 'AuditEvent',
    'identity.role_assignment.deleted': 'AuditEvent',
    'identity.service.created': 'AuditEvent',
    'identity.service.deleted': 'AuditEvent',
    'identity.service.updated': 'AuditEvent',
    'identity.user.created': 'AuditEvent',
    'identity.user.deleted': 'AuditEvent',
    'identity.user.updated': 'AuditEvent',
  },
}
