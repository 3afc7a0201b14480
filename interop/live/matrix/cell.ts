import type { Feature } from '../features/feature.ts'
import { RELEASES, type Release } from '../transports/releases.ts'
import type { TransportRow } from '../transports/row.ts'

/** What our library is in a pair; `none` in Python to Python, `both` in ours to ours. */
export type Role = 'client' | 'server' | 'notifier' | 'listener' | 'none' | 'both'

/** One feature of one transport between two sides, of which the first sends. */
export interface Cell {
  readonly feature: Feature
  readonly pair: Pair
  readonly role: Role
  /** Why there is no such cell. */
  readonly notApplicable: string | undefined
}

/** Who sends and who receives. */
export type Pair = 'ours to python' | 'python to ours' | 'python to python' | 'ours to ours'

/** The pairs of the matrix. */
export const MATRIX_PAIRS: readonly Pair[] = ['ours to python', 'python to ours', 'python to python']
/** The three ways of the acceptance list. */
export const ACCEPTANCE_PAIRS: readonly Pair[] = ['ours to ours', 'ours to python', 'python to ours']

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
  pairs: readonly Pair[] = MATRIX_PAIRS,
): readonly Stage[] {
  return rows
    .flatMap((row) =>
      row.releases.map((release) => ({
        row,
        release,
        title: `${row.name}, Python ${RELEASES[release].version}`,
        cells: cellsOf(row, release, features, pairs).filter(({ feature, pair }) =>
          isWanted(row, release, feature, pair),
        ),
      })),
    )
    .filter(({ cells }) => cells.some(({ notApplicable }) => notApplicable === undefined))
}

function cellsOf(row: TransportRow, release: Release, features: readonly Feature[], pairs: readonly Pair[]): Cell[] {
  const wanted = pairs.filter(
    (pair) => pair !== 'python to python' || (row.reference === true && release === row.releases[0]),
  )
  return wanted.flatMap((pair) =>
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
  if (pair === 'ours to ours') return 'both'
  if (kind === 'rpc') return pair === 'ours to python' ? 'client' : 'server'
  return pair === 'ours to python' ? 'notifier' : 'listener'
}

function lackOf(row: TransportRow, { needs, pythonSendsOnly }: Feature, pair: Pair): string | undefined {
  const isPython = { 'python sends': pair.startsWith('python'), 'python receives': pair.endsWith('python') }
  for (const need of needs) {
    const lack = row.lacks[need]
    if (lack !== undefined && (lack.only === undefined || isPython[lack.only])) return lack.reason
  }
  return pair.startsWith('ours') ? pythonSendsOnly : undefined
}
