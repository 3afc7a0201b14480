import type { Driver, DriverCapabilities, DriverDefinition } from '@oslo-messaging/core/driver'
import type { ConformanceReport } from './report.ts'

/** What the suite is given: a test runner, a driver, and what the driver declares. */
export interface ConformanceOptions {
  /** Groups tests, as `describe` of vitest, jest, mocha and node:test does. */
  readonly describe: (name: string, body: () => void) => unknown
  /** Declares one test. The third argument is its time limit in milliseconds; runners that take none ignore it. */
  readonly it: (name: string, body: () => Promise<void>, timeoutMs?: number) => unknown
  /** Hooks around all tests of the suite. With both, the report knows how long it took and `onReport` gets it when it is complete. */
  readonly beforeAll?: (body: () => Promise<void>) => unknown
  readonly afterAll?: (body: () => Promise<void>) => unknown
  readonly onReport?: (report: ConformanceReport) => void
  /** What the driver declares. What is true is tested, what is false must be refused by name. */
  readonly capabilities: DriverCapabilities
  /** Opens one driver. Every driver it makes reaches the same broker; the suite closes each. */
  readonly createDriver: (options: CreateDriverOptions) => Driver | Promise<Driver>
  readonly knobs?: ConformanceKnobs
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
  /** Most time for one thing to happen: a subscription, a delivery, a reply; milliseconds before scaling. Default 10 000. */
  readonly patienceMs?: number
  /** Two virtual hosts the broker has. Without them the cases of `virtualHosts` are left out. */
  readonly vhosts?: readonly [string, string]
  /** Bytes of the body in the case of large messages. Default 262 144. */
  readonly largeMessageBytes?: number
  /** Puts text that is no message where listeners of the place get it. Without it the cases about unreadable messages are left out. */
  readonly makeUnreadable?: (place: UnreadablePlace) => Promise<void>
  /** Cuts the connections of every driver of the suite, and lets them come back. Without it the cases of recovery are left out. */
  readonly disconnect?: () => Promise<void>
  /** The definition and a URL that has the given password in it, for the cases about secrets. The broker may refuse it, or be absent.
   *  Without it those cases are left out. */
  readonly secret?: {
    readonly definition: DriverDefinition
    readonly url: (password: string) => string
  }
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
