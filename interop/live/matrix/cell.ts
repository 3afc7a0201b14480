import type { Feature } from '../features/feature.ts'
import { RELEASES, type Release } from '../transports/releases.ts'
import type { TransportRow } from '../transports/row.ts'

/** What our library is in a pair; `none` in Python to Python. */
export type Role = 'client' | 'server' | 'notifier' | 'listener' | 'none'

/** One feature of one transport between two sides, of which the first sends. */
export interface Cell {
  readonly feature: Feature
  readonly pair: Pair
  readonly role: Role
  /** Why there is no such cell. */
  readonly notApplicable: string | undefined
}

export const PAIRS = ['ours to python', 'python to ours', 'python to python'] as const
export type Pair = (typeof PAIRS)[number]

/** One row with one release of the library: what is run on two sides that are opened once. */
export interface Stage {
  readonly row: TransportRow
  readonly release: Release
  readonly title: string
  readonly cells: readonly Cell[]
}

/** The stages of some rows, with all their cells. `isWanted` leaves cells out, as the everyday part does. */
export function stagesOf(
  rows: readonly TransportRow[],
  features: readonly Feature[],
  isWanted: (row: TransportRow, release: Release, feature: Feature, pair: Pair) => boolean = () => true,
): readonly Stage[] {
  return rows
    .flatMap((row) =>
      row.releases.map((release) => ({
        row,
        release,
        title: `${row.name}, Python ${RELEASES[release].version}`,
        cells: cellsOf(row, release, features).filter(({ feature, pair }) => isWanted(row, release, feature, pair)),
      })),
    )
    .filter(({ cells }) => cells.some(({ notApplicable }) => notApplicable === undefined))
}

function cellsOf(row: TransportRow, release: Release, features: readonly Feature[]): Cell[] {
  const pairs = PAIRS.filter(
    (pair) => pair !== 'python to python' || (row.reference === true && release === row.releases[0]),
  )
  return pairs.flatMap((pair) =>
    features.map((feature) => ({
      feature,
      pair,
      role: roleOf(feature, pair),
      notApplicable: lackOf(row, feature, pair),
    })),
  )
}

function roleOf({ kind }: Feature, pair: Pair): Role {
  if (pair === 'python to python') return 'none'
  if (kind === 'rpc') return pair === 'ours to python' ? 'client' : 'server'
  return pair === 'ours to python' ? 'notifier' : 'listener'
}

function lackOf(row: TransportRow, { needs }: Feature, pair: Pair): string | undefined {
  const isPython = { 'python sends': pair.startsWith('python'), 'python receives': pair.endsWith('python') }
  for (const need of needs) {
    const lack = row.lacks[need]
    if (lack !== undefined && (lack.only === undefined || isPython[lack.only])) return lack.reason
  }
  return undefined
}
