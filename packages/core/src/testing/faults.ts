import { TransportDriverError } from '../errors.ts'
import { checkChoice, checkCount, checkOptions, type OptionNames, shown } from '../util/check.ts'
import type {
  BreakableConnection,
  DeliveryFault,
  MemoryFaultPlan,
  MessageKind,
  PublishFault,
} from '../memory/memory-hooks.ts'

/** Which events a fault meets, counted from the moment it is scripted: the nth (from 1), or every one. Default: the
 *  next. */
export interface FaultScope {
  readonly nth?: number
  readonly every?: boolean
  /** Only requests, or only notifications. Default both. */
  readonly kind?: MessageKind
}

/** A script of what goes wrong at the in-process broker. Faults of one place add up; the counters of each start where
 *  it was scripted. */
export interface Faults extends MemoryFaultPlan {
  /** The reply never arrives. */
  dropReply(scope?: FaultScope): void
  delayReply(delayMs: number, scope?: FaultScope): void
  duplicateReply(scope?: FaultScope): void
  /** The message is lost between broker and listener. */
  dropDelivery(scope?: FaultScope): void
  delayDelivery(delayMs: number, scope?: FaultScope): void
  /** The listeners get the message twice. */
  duplicateDelivery(scope?: FaultScope): void
  /** The broker refuses the message; retries try again. */
  refusePublish(scope?: FaultScope & { readonly error?: Error }): void
  delayPublish(delayMs: number, scope?: FaultScope): void
  /** Cuts the connection of every driver that has this plan. `loseReplies`: waiting calls fail with ReplyPathLost. */
  disconnect(options?: { readonly loseReplies?: boolean }): void
  reconnect(): void
  /** The broker takes no messages until `unblock`. */
  block(reason?: string): void
  unblock(): void
  /** Every listener is lost for good. */
  failListeners(error?: Error): void
  /** Forgets what is scripted. Connections stay as they are. */
  clear(): void
}

interface Scripted<Fault> {
  readonly fault: Fault
  readonly scope: FaultScope
  seen: number
}

const SCOPE: OptionNames<FaultScope> = { nth: true, every: true, kind: true }

/** Faults for `createMemoryDriver({ faults })`; none until they are scripted. */
export function createFaults(): Faults {
  const connections = new Set<BreakableConnection>()
  let publishes: Scripted<PublishFault>[] = []
  let deliveries: Scripted<DeliveryFault>[] = []
  let replies: Scripted<DeliveryFault>[] = []
  const script = <Fault extends { readonly delayMs?: number }>(
    list: Scripted<Fault>[],
    fault: Fault,
    scope: FaultScope = {},
    names: Readonly<Record<string, true>> = SCOPE,
  ): void => {
    checkOptions('A fault', scope, names)
    checkCount('nth of a fault', scope.nth, 1)
    checkChoice('kind of a fault', scope.kind, ['request', 'notification'])
    if ('delayMs' in fault && !(typeof fault.delayMs === 'number' && fault.delayMs >= 0))
      throw new TypeError(`delayMs must be a number of milliseconds, 0 or more, not ${shown(fault.delayMs)}`)
    list.push({ fault, scope, seen: 0 })
  }
  return {
    attach(connection) {
      connections.add(connection)
      return () => connections.delete(connection)
    },
    onPublish: (kind) => meet(publishes, kind),
    onDelivery: (kind) => meet(deliveries, kind),
    onReply: () => meet(replies, 'request'),
    dropReply: (scope) => script(replies, { drop: true }, scope),
    delayReply: (delayMs, scope) => script(replies, { delayMs }, scope),
    duplicateReply: (scope) => script(replies, { duplicate: true }, scope),
    dropDelivery: (scope) => script(deliveries, { drop: true }, scope),
    delayDelivery: (delayMs, scope) => script(deliveries, { delayMs }, scope),
    duplicateDelivery: (scope) => script(deliveries, { duplicate: true }, scope),
    refusePublish: (scope) =>
      script(
        publishes,
        { refuse: scope?.error ?? new TransportDriverError('Refused by the script of faults') },
        scope,
        { ...SCOPE, error: true },
      ),
    delayPublish: (delayMs, scope) => script(publishes, { delayMs }, scope),
    disconnect: (options = {}) => {
      checkOptions('disconnect', options, { loseReplies: true })
      const { loseReplies = false } = options
      for (const connection of connections) connection.disconnect({ loseReplies })
    },
    reconnect: () => {
      for (const connection of connections) connection.reconnect()
    },
    block: (reason = 'Blocked by the script of faults') => {
      for (const connection of connections) connection.setBlocked(reason)
    },
    unblock: () => {
      for (const connection of connections) connection.setBlocked(null)
    },
    failListeners: (error = new TransportDriverError('Ended by the script of faults')) => {
      for (const connection of connections) connection.failListeners(error)
    },
    clear() {
      publishes = []
      deliveries = []
      replies = []
    },
  }
}

/** Counts the event for every fault it concerns and joins those that apply. */
function meet<Fault extends object>(scripted: readonly Scripted<Fault>[], kind: MessageKind): Fault | undefined {
  let met: Fault | undefined
  for (const entry of scripted) {
    const { nth = 1, every = false, kind: wanted } = entry.scope
    if (wanted !== undefined && wanted !== kind) continue
    entry.seen += 1
    if (every || entry.seen === nth) met = { ...met, ...entry.fault }
  }
  return met
}
