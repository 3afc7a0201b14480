import type { ConfigOverrides } from '@oslo-messaging/core'

import type { Need } from '../features/feature.ts'
import type { Release } from './releases.ts'

/** Where a row's broker comes from; see venues.ts. */
export type VenueName = 'rabbit' | 'rabbit with TLS' | 'artemis' | 'kafka' | 'kafka with SASL'

/** Why a transport cannot have what a feature needs. `only` limits it to pairs in which Python has that part. */
export interface Lack {
  readonly reason: string
  readonly only?: 'python sends' | 'python receives'
}

/** A row of the matrix: one way to configure both sides alike. */
export interface TransportRow {
  readonly name: string
  readonly venue: VenueName
  readonly releases: readonly Release[]
  /** For both sides: the same options by the same names. */
  readonly settings: ConfigOverrides
  /** What only ours gets, or gets differently. */
  readonly ours?: ConfigOverrides
  readonly python?: ConfigOverrides
  /** Virtual host that is part of what is tried, rather than a fence around the test. */
  readonly vhost?: string
  readonly lacks: Partial<Record<Need, Lack>>
  /** Also Python to Python: what a feature demands must hold there, else it demands too much. */
  readonly reference?: true
  /** What every `npm test` runs of it: everything, or these features. */
  readonly everyday: 'everything' | readonly string[]
}
