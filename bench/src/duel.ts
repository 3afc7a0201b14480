import type { Row, Workload } from './result.ts'
import { median, round } from './statistics.ts'
import { perSecOf, summarize, type Turn } from './turn.ts'

/** Somebody who can do the workload. */
export interface Contestant {
  readonly name: string
  /** Takes one turn of about that length. */
  readonly turn: (durationMs: number) => Promise<Turn>
}

export interface DuelOptions {
  readonly workload: Workload
  readonly ours: Contestant
  /** Each gets a row of its own. */
  readonly peers: readonly Contestant[]
  readonly pairs: number
  readonly turnMs: number
  /** A turn of each before anything counts: compiles, connects, declares. 0: none. Default: as long as a turn. */
  readonly warmUpMs?: number
}

/** Ours and the peers take turns in one run, in an order that is turned round each time, so that whatever the machine
 *  does meanwhile meets all of them. */
export async function duel(options: DuelOptions): Promise<Row[]> {
  const { workload, ours, peers, pairs, turnMs, warmUpMs = turnMs } = options
  const everyone = [ours, ...peers]
  if (warmUpMs > 0) for (const contestant of everyone) await contestant.turn(warmUpMs)
  const turns = new Map<Contestant, Turn[]>(everyone.map((contestant) => [contestant, []]))
  for (let pair = 0; pair < pairs; pair += 1) {
    const order = pair % 2 === 0 ? everyone : [...everyone].reverse()
    for (const contestant of order) turns.get(contestant)?.push(await contestant.turn(turnMs))
  }
  return peers.map((peer) => row(workload, turns.get(ours) ?? [], peer.name, turns.get(peer) ?? []))
}

/** The row of two series of turns; the turns of one pair stand at the same place. */
export function row(workload: Workload, ours: readonly Turn[], peerName: string, peer: readonly Turn[]): Row {
  const ratios = ours.flatMap((turn, pair) => {
    const other = peer[pair]
    return other === undefined ? [] : [perSecOf(turn) / perSecOf(other)]
  })
  return {
    workload,
    ours: summarize(ours),
    peer: { name: peerName, ...summarize(peer) },
    ratio: { median: round(median(ratios)), min: round(Math.min(...ratios)), max: round(Math.max(...ratios)) },
    pairs: ratios.length,
  }
}
