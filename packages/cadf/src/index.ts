/** Audit events of CADF: their types, made and read as pyCADF does. */

export type {
  CadfAttachment,
  CadfCredential,
  CadfEndpoint,
  CadfEvent,
  CadfEventType,
  CadfGeolocation,
  CadfHost,
  CadfMeasurement,
  CadfMetric,
  CadfOutcome,
  CadfReason,
  CadfReporterStep,
  CadfResource,
} from './cadf.ts'
export {
  cadfTag,
  cadfTime,
  createCadfEvent,
  maskToken,
  type NewCadfEvent,
  type NewCadfMeasurement,
  type NewCadfReporterStep,
  type NewCadfResource,
  readCadfEvent,
} from './event.ts'
export { CadfMismatch } from './check.ts'
export { ACCOUNT_USER, ACTIONS, RESOURCE_TYPES } from './taxonomy.ts'
