import type { Feature } from '../features/feature.ts'
import type { Release } from '../transports/releases.ts'
import type { TransportRow } from '../transports/row.ts'
import type { Pair } from './cell.ts'

/** Python to Python shows that the room works; once is enough. */
const REFERENCE = ['call: unicode', 'seven priorities, format 2.0']

/** What every `npm test` runs of the matrix: each row and each column at least once, with the first release of the
 *  row. */
export function isEveryday(row: TransportRow, release: Release, feature: Feature, pair: Pair): boolean {
  if (release !== row.releases[0]) return false
  if (row.everyday !== 'everything') return pair !== 'python to python' && row.everyday.includes(feature.name)
  return pair !== 'python to python' || REFERENCE.includes(feature.name)
}
