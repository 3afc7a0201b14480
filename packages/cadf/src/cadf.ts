/** What kind of event it is: something done, a measurement, or a decision by a policy. */
export type CadfEventType = 'activity' | 'monitor' | 'control'

/** How it ended; `pending` while it has not. */
export type CadfOutcome = 'success' | 'failure' | 'pending' | 'unknown'

/** Who or what has to do with an event. `{ id: 'target' }` and `{ id: 'initiator' }` alone stand for those of the
 *  event. */
export interface CadfResource {
  readonly id: string
  /** Begins with one of `RESOURCE_TYPES`: `service/security/account/user`, `compute/server`. Absent where the id is a
   *  word that stands for another resource. */
  readonly typeURI?: string
  readonly name?: string
  readonly ref?: string
  readonly domain?: string
  readonly credential?: CadfCredential
  readonly host?: CadfHost
  readonly geolocation?: CadfGeolocation
  readonly geolocationId?: string
  readonly addresses?: readonly CadfEndpoint[]
  readonly attachments?: readonly CadfAttachment[]
  /** Fields of OpenStack, which CADF does not have. */
  readonly user_id?: string
  readonly username?: string
  readonly project_id?: string
  readonly domain_id?: string
  readonly request_id?: string
  readonly global_request_id?: string
}

/** What somebody identified themselves by. */
export interface CadfCredential {
  /** Never whole: see `maskToken`. */
  readonly token: string
  readonly type?: string
  /** `Confirmed` or `Invalid`, as keystonemiddleware says. */
  readonly identity_status?: string
  readonly identity_provider?: string
  readonly user?: string
  readonly groups?: readonly unknown[]
}

/** The machine of a resource. */
export interface CadfHost {
  readonly id?: string
  readonly address?: string
  readonly agent?: string
  readonly platform?: string
}

/** An address of a resource. */
export interface CadfEndpoint {
  readonly url: string
  readonly name?: string
  readonly port?: string
}

/** Where a resource is; numbers are texts. */
export interface CadfGeolocation {
  readonly id?: string
  readonly latitude?: string
  readonly longitude?: string
  readonly elevation?: string
  readonly accuracy?: string
  readonly city?: string
  readonly state?: string
  readonly regionICANN?: string
}

/** Anything else, by the type that says how to read it. */
export interface CadfAttachment {
  readonly typeURI: string
  readonly content: unknown
  readonly name: string
}

/** Why it ended so: a code, or a policy, each with what it is from. */
export interface CadfReason {
  readonly reasonType?: string
  readonly reasonCode?: string
  readonly policyType?: string
  readonly policyId?: string
}

/** What is measured. */
export interface CadfMetric {
  readonly metricId: string
  readonly unit?: string
  readonly name?: string
}

/** A value that was measured. Either `metric` or `metricId`. */
export interface CadfMeasurement {
  readonly result: unknown
  readonly metric?: CadfMetric
  readonly metricId?: string
  readonly calculatedBy?: CadfResource
}

/** Who had the event in hand on its way. Either `reporter` or `reporterId`. */
export interface CadfReporterStep {
  readonly role: 'observer' | 'modifier' | 'relay'
  readonly reporterTime?: string
  readonly reporter?: CadfResource
  readonly reporterId?: string
}

/** An audit event of CADF 1.0 (DMTF DSP0262) as it travels: field for field what pyCADF 4.1.0 writes. Of initiator,
 *  target and observer it has either the resource or its id. */
export interface CadfEvent {
  /** The URI of CADF's own type for events. */
  readonly typeURI: string
  readonly eventType: CadfEventType
  readonly id: string
  /** `2026-11-28T21:30:00.000000+0000`. */
  readonly eventTime: string
  /** Begins with one of `ACTIONS`: `create`, `update/os-resetState`. */
  readonly action: string
  readonly outcome: CadfOutcome
  readonly initiator?: CadfResource
  readonly initiatorId?: string
  readonly target?: CadfResource
  readonly targetId?: string
  readonly observer?: CadfResource
  readonly observerId?: string
  readonly name?: string
  readonly severity?: string
  readonly reason?: CadfReason
  readonly measurements?: readonly CadfMeasurement[]
  /** `name?value=text`. */
  readonly tags?: readonly string[]
  readonly attachments?: readonly CadfAttachment[]
  readonly reporterchain?: readonly CadfReporterStep[]
  /** Path and query of the request, in events of the middleware. */
  readonly requestPath?: string
}
