import { randomUUID } from 'node:crypto'
import type { CadfEvent, CadfMeasurement, CadfMetric, CadfReporterStep, CadfResource } from './cadf.ts'
import { check, isReference } from './check.ts'

/** A resource of which id and type may be left out: a new UUID, and `unknown`. */
export type NewCadfResource = Partial<Pick<CadfResource, 'id'>> & Omit<CadfResource, 'id'>

/** The same for a metric: its id may be left out. */
export type NewCadfMeasurement = Omit<CadfMeasurement, 'metric' | 'calculatedBy'> & {
  readonly metric?: Omit<CadfMetric, 'metricId'> & Partial<Pick<CadfMetric, 'metricId'>>
  readonly calculatedBy?: NewCadfResource
}

/** The same for a step of reporting. */
export type NewCadfReporterStep = Omit<CadfReporterStep, 'reporter' | 'role'> & {
  /** Default `modifier`. */
  readonly role?: CadfReporterStep['role']
  readonly reporter?: NewCadfResource
}

type Completed = 'initiator' | 'target' | 'observer' | 'measurements' | 'reporterchain'

/** The fields of an event; all but initiator, target and observer (or their ids) may be left out. */
export type NewCadfEvent = Omit<Partial<CadfEvent>, Completed> & {
  readonly initiator?: NewCadfResource
  readonly target?: NewCadfResource
  readonly observer?: NewCadfResource
  readonly measurements?: readonly NewCadfMeasurement[]
  readonly reporterchain?: readonly NewCadfReporterStep[]
}

const EVENT_TYPE = 'http://schemas.dmtf.org/cloud/audit/1.0/event'

/** An event with what was left out: a new id, now, `activity`, and `unknown` as action and outcome. Tokens are masked.
 *  Throws CadfMismatch, with the field, for what pyCADF would refuse. */
export function createCadfEvent(fields: NewCadfEvent): CadfEvent {
  const { initiator, target, observer, measurements, reporterchain, ...rest } = fields
  const made: CadfEvent = {
    typeURI: EVENT_TYPE,
    eventType: 'activity',
    id: randomUUID(),
    eventTime: cadfTime(),
    action: 'unknown',
    outcome: 'unknown',
    ...rest,
    ...(initiator && { initiator: completed(initiator) }),
    ...(target && { target: completed(target) }),
    ...(observer && { observer: completed(observer) }),
    ...(measurements && { measurements: measurements.map(measured) }),
    ...(reporterchain && { reporterchain: reporterchain.map(reported) }),
  }
  check(made)
  return made
}

/** A payload as an event: whatever a service of OpenStack, or anybody with pyCADF, has sent. Fields that CADF does not
 *  have are kept. Throws CadfMismatch, with the field and the payload, for what is none. */
export function readCadfEvent(payload: unknown): CadfEvent {
  check(payload)
  return payload as CadfEvent
}

/** A time as CADF has it: UTC, `2026-11-28T21:30:00.000000+0000`. */
export function cadfTime(time: Date = new Date()): string {
  return time.toISOString().replace('Z', '000+0000')
}

/** `name?value=text`: a tag that has a value. */
export function cadfTag(name: string, value: string): string {
  return `${name}?value=${value}`
}

/** What may be shown of a token: an eighth at each end, at most 32 characters, as pyCADF shows it. One of which an
 *  eighth is less than half a character, pyCADF shows whole; here it is not shown. */
export function maskToken(token: string): string {
  const shown = Math.min(32, roundHalfEven(token.length / 8))
  return `${token.slice(0, shown)} xxxxxxxx ${shown === 0 ? '' : token.slice(-shown)}`
}

function roundHalfEven(value: number): number {
  const below = Math.floor(value)
  if (value - below === 0.5) return below % 2 === 0 ? below : below + 1
  return Math.round(value)
}

function completed({ id = randomUUID(), credential, ...rest }: NewCadfResource): CadfResource {
  return {
    id,
    ...(isReference(id) ? {} : { typeURI: 'unknown' }),
    ...rest,
    ...(credential && { credential: { ...credential, token: maskToken(credential.token) } }),
  }
}

function measured({ metric, calculatedBy, ...rest }: NewCadfMeasurement): CadfMeasurement {
  return {
    ...rest,
    ...(metric && { metric: { metricId: randomUUID(), ...metric } }),
    ...(calculatedBy && { calculatedBy: completed(calculatedBy) }),
  }
}

function reported({ reporter, ...rest }: NewCadfReporterStep): CadfReporterStep {
  return { role: 'modifier', ...rest, ...(reporter && { reporter: completed(reporter) }) }
}
