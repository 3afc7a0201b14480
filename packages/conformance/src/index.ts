/** The behaviour every driver owes, as a suite for any test runner. */
import type { ConformanceCase } from './case.ts'
import { cutCases } from './cases/cuts.ts'
import { deadLetterCases } from './cases/dead-letters.ts'
import { errorCases } from './cases/errors.ts'
import { headerCases } from './cases/headers.ts'
import { historyCases } from './cases/histories.ts'
import { hostileCases } from './cases/hostile.ts'
import { lifecycleCases } from './cases/lifecycle.ts'
import { limitCases } from './cases/limits.ts'
import { loadCases } from './cases/load.ts'
import { notificationServiceCases } from './cases/notification-services.ts'
import { notifyBatchCases } from './cases/notify-batch.ts'
import { notifyCases } from './cases/notify.ts'
import { orderingCases } from './cases/ordering.ts'
import { otherSideCases } from './cases/other-side.ts'
import { outageCases } from './cases/outages.ts'
import { poolCases } from './cases/pool.ts'
import { recoveryCases } from './cases/recovery.ts'
import { refusalCases } from './cases/refusals.ts'
import { requeueCases } from './cases/requeue.ts'
import { rpcCallCases } from './cases/rpc-call.ts'
import { rpcCastCases } from './cases/rpc-cast.ts'
import { rpcFailureCases } from './cases/rpc-failures.ts'
import { rpcFanoutCases } from './cases/rpc-fanout.ts'
import { rpcMonitorCases } from './cases/rpc-monitor.ts'
import { serviceCases } from './cases/services.ts'
import { silenceCases } from './cases/silence.ts'
import { troubleCases } from './cases/troubles.ts'
import { unreadableCases } from './cases/unreadable.ts'
import type { ConformanceOptions } from './options.ts'
import type { ConformanceReport } from './report.ts'
import { Suite } from './suite.ts'
import { abortedCases } from './traits/aborted.ts'
import { closedCases } from './traits/closed.ts'
import { timedOutCases } from './traits/timed-out.ts'

/** The suite, chapter by chapter. */
export const conformanceChapters: Readonly<Record<string, readonly ConformanceCase[]>> = {
  lifecycle: lifecycleCases,
  'rpc call': rpcCallCases,
  'rpc cast': rpcCastCases,
  'rpc fanout': rpcFanoutCases,
  'rpc failures': rpcFailureCases,
  'rpc monitor': rpcMonitorCases,
  notify: notifyCases,
  pool: poolCases,
  requeue: requeueCases,
  'dead letters': deadLetterCases,
  ordering: orderingCases,
  headers: headerCases,
  limits: limitCases,
  unreadable: unreadableCases,
  recovery: recoveryCases,
  services: serviceCases,
  'notification services': notificationServiceCases,
  'notify batch': notifyBatchCases,
  refusals: refusalCases,
  errors: errorCases,
  closed: closedCases,
  aborted: abortedCases,
  'timed out': timedOutCases,
  cuts: cutCases,
  outages: outageCases,
  silence: silenceCases,
  troubles: troubleCases,
  load: loadCases,
  hostile: hostileCases,
  histories: historyCases,
  'other side': otherSideCases,
}

/** Declares a test for every promise that `capabilities` make. Returns the report, which fills while they run.
 *  A driver's whole test: `runDriverConformance({ describe, it, capabilities, createDriver })`. */
export function runDriverConformance(options: ConformanceOptions): ConformanceReport {
  const suite = new Suite(options)
  for (const [name, cases] of Object.entries(conformanceChapters)) suite.group(name, cases)
  return suite.report
}

export type { ConformanceCase, Need } from './case.ts'
export { ConformanceFailure } from './happenings.ts'
export type {
  ConformanceKnobs,
  ConformanceLevers,
  ConformanceLoad,
  ConformanceOptions,
  CreateDriverOptions,
  LastingLever,
  Level,
  UnreadablePlace,
} from './options.ts'
export { type ConformanceReport, formatReport, type LeftOutCase } from './report.ts'
export type { ConformancePeer } from './peer.ts'
export { runCase } from './suite.ts'
