import type { Driver, DriverCapabilities, DriverDefinition } from '@oslo-messaging/core/driver'
import type { Need } from './case.ts'
import type { FaultProxy } from './faults/index.ts'
import type { ConformancePeer } from './peer.ts'
import type { ConformanceReport } from './report.ts'

/** How far the suite goes. 0: the contract with a broker that is well. 1: cut connections, outages. 2: silence,
 *  restarts, a broker that takes nothing, slow handlers, large messages, many topics, bounds, draining, hostile bodies.
 *  3: histories of numbered messages under random faults. 4: another implementation on the other side. Each contains
 *  those before it. */
export type Level = 0 | 1 | 2 | 3 | 4

/** What the suite is given: a test runner, a driver, and what the driver declares. */
export interface ConformanceOptions {
  /** Groups tests, as `describe` of vitest, jest, mocha and node:test does. */
  readonly describe: (name: string, body: () => void) => unknown
  /** Declares one test. The third argument is its time limit in milliseconds; runners that take none ignore it. */
  readonly it: (name: string, body: () => Promise<void>, timeoutMs?: number) => unknown
  /** Hooks around all tests of the suite. With both, the report knows how long it took and `onReport` gets it when it
   *  is complete. */
  readonly beforeAll?: (body: () => Promise<void>) => unknown
  readonly afterAll?: (body: () => Promise<void>) => unknown
  readonly onReport?: (report: ConformanceReport) => void
  /** What the driver declares. What is true is tested, what is false must be refused by name. */
  readonly capabilities: DriverCapabilities
  /** Opens one driver. Every driver it makes reaches the same broker; the suite closes each. */
  readonly createDriver: (options: CreateDriverOptions) => Driver | Promise<Driver>
  readonly knobs?: ConformanceKnobs
  /** Default 1: a minute or less. Those above take minutes. */
  readonly level?: Level
}

/** What the suite asks of the driver it wants opened. */
export interface CreateDriverOptions {
  /** Aborts when the suite has lost patience with the opening. */
  readonly signal: AbortSignal
  /** Virtual host to use; absent: the usual one. */
  readonly vhost?: string
}

/** Granularity before off switches: none of these turns a promise off that the capabilities make. */
export interface ConformanceKnobs {
  /** Multiplies every time the suite waits or lets pass. Default 1, made for a broker on the same machine. */
  readonly timeScale?: number
  /** Most time for one thing to happen: a subscription, a delivery, a reply; milliseconds before scaling. Default 10
   *  000. */
  readonly patienceMs?: number
  /** Two virtual hosts the broker has. Without them the cases of `virtualHosts` are left out. */
  readonly vhosts?: readonly [string, string]
  /** Bytes of the body in the case of large messages. Default 262 144. */
  readonly largeMessageBytes?: number
  /** Puts text that is no message where listeners of the place get it. Without it the cases about unreadable messages
   *  are left out. */
  readonly makeUnreadable?: (place: UnreadablePlace) => Promise<void>
  /** Cuts the connections of every driver of the suite, and lets them come back. Without it, and without a lever that
   *  can, the cases about cuts are left out. */
  readonly disconnect?: () => Promise<void>
  /** What else can be broken. Cases whose lever is missing are left out. */
  readonly levers?: ConformanceLevers
  /** Most time a send takes beyond its deadline, and a driver to close, milliseconds before scaling. Default 2 000. */
  readonly graceMs?: number
  /** Most time until a dead connection is noticed, milliseconds before scaling: a driver's heartbeat. Default 10
   *  000. */
  readonly noticesSilenceMs?: number
  /** How much later than its time an unanswered request may leave the queue, milliseconds before scaling: whole seconds
   *  where the broker counts those. Default 250. */
  readonly expiryResolutionMs?: number
  /** How many things there are in the cases under load. */
  readonly load?: Partial<ConformanceLoad>
  /** Repeats the random faults of level 3. Default `conformance`. */
  readonly seed?: string
  /** The definition and a URL that has the given password in it, for the cases about secrets. The broker may refuse it,
   *  or be absent. Without it those cases are left out. */
  readonly secret?: {
    readonly definition: DriverDefinition
    readonly url: (password: string) => string
  }
  /** Another implementation at the same broker, for level 4. Asked for by each case. Without it those cases are left
   *  out. */
  readonly peer?: () => Promise<ConformancePeer>
  /** Why a knob or a lever is missing, for the report: `{ 'lever block': 'it refuses instead' }`. */
  readonly reasons?: Readonly<Partial<Record<Need, string>>>
}

/** Sizes of the cases under load. */
export interface ConformanceLoad {
  /** Servers, and callers, in one driver; calls that two servers share. Default 300. */
  readonly servers: number
  /** Topics that messages are sent to. Default 1 000. */
  readonly topics: number
  /** Bytes of the largest message. Default 4 MiB. */
  readonly bytes: number
  /** Messages that a driver must not hold for a broker that is away: one of them is refused. Default 50 000. */
  readonly unbounded: number
  /** Milliseconds of each history of level 3, before scaling. Default 15 000. */
  readonly historyMs: number
}

/** Begins a fault; what it resolves with ends it. */
export type LastingLever = () => Promise<() => Promise<void>>

/** What an author can do to the broker, or to the way there. With `proxies` the suite makes cut, outage, freeze,
 *  latency, split and halfOpen itself, and counts the connections. */
export interface ConformanceLevers {
  /** The proxies that all drivers of the suite go through (`proxyURL` of `@oslo-messaging/conformance/faults`). */
  readonly proxies?: () => readonly FaultProxy[]
  /** Nothing can be reached: connections are cut and new ones refused. */
  readonly outage?: LastingLever
  /** The broker answers nothing, connections stay open. */
  readonly freeze?: LastingLever
  /** Everything takes some hundred milliseconds more. */
  readonly latency?: LastingLever
  /** The broker takes no messages: an alarm, a full disk. */
  readonly block?: LastingLever
  /** One node of several is gone. */
  readonly killNode?: LastingLever
  /** Stops the broker and starts it again. Resolves when it can be reached. */
  readonly restart?: () => Promise<void>
  /** What every listener stands on is gone: its rights, its queue. What it resolves with gives it back, where that can
   *  be done; a listener that is lost for good needs nothing back. */
  readonly revoke?: LastingLever
  /** Connections that the drivers of the suite hold now. */
  readonly connections?: () => number | Promise<number>
}

/** Where garbage is to be put. */
export interface UnreadablePlace {
  readonly kind: 'request' | 'notification'
  /** null: the default one. */
  readonly exchange: string | null
  readonly topic: string
  /** Of notifications, lower case. */
  readonly priority: string | null
  readonly text: string
}
