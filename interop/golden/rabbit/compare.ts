import type { Vector } from '../../../packages/rabbit/test/support/vectors.ts'
import { vectorOptions } from '../../../packages/rabbit/test/support/vectors.ts'
import type { Judge } from '../judge.ts'
import { factsOf, type SideFacts } from './facts.ts'
import type { RecordedFrame } from './recording-proxy.ts'
import { stepsOfOurs, stepsOfPython } from './steps.ts'

type Side = 'client' | 'server'

/** What Python's side of a vector did. */
export function pythonFacts(vector: Vector, side: Side): SideFacts {
  return factsOf(stepsOfPython(vector.normalized.filter(({ peer }) => peer === side)))
}

/** Compares everything one side sent with what Python's side sent. */
export function compareSide(judge: Judge, vector: Vector, side: Side, frames: readonly RecordedFrame[]): void {
  const python = pythonFacts(vector, side)
  const ours = factsOf(stepsOfOurs(frames, python.declares.length > 0))
  if (python.declares.length > 0) compareDeclares(judge, vector, ours.declares, python.declares)
  const publishes = ours.publishes.map((text, index) => {
    const isOnlyHere =
      text.includes('"mandatory":true') && python.publishes[index]?.includes('"mandatory":false') === true
    // Only a call carries the queue for its reply, and only the broker sees that it is mandatory.
    if (!isOnlyHere || !text.includes('"_reply_q"')) return text
    judge.excuse('calls-are-mandatory')
    return text.replace('"mandatory":true', '"mandatory":false')
  })
  judge.same(`${side}: publishes`, publishes, python.publishes)
  judge.same(`${side}: settlements`, ours.settlements, python.settlements)
}

/** Differences: the prefetch this driver always sets, and declarations made once where Python repeats them. */
export function compareDeclares(
  judge: Judge,
  vector: Vector,
  ours: readonly string[],
  python: readonly string[],
  order: 'kept' | 'free' = 'kept',
): void {
  const isQos = (text: string): boolean => text.startsWith('basic.qos')
  const qos = ours.filter(isQos)
  if (vectorOptions(vector)['rabbit_qos_prefetch_count'] !== undefined)
    judge.same('prefetch', qos, python.filter(isQos))
  else if (qos.length > 0) judge.excuse('prefetch-is-always-set')
  const isLook = (text: string): boolean => text.startsWith('queue.declare') && text.includes('"passive":true')
  if (ours.some(isLook)) judge.excuse('looks-before-it-declares')
  const others = [ours, python].map((list) => list.filter((text) => !isQos(text) && !isLook(text)))
  let [mine = [], theirs = []] = others
  if (mine.length < theirs.length && new Set(theirs).size < theirs.length) {
    judge.excuse('declared-once')
    ;[mine, theirs] = [unique(mine), unique(theirs)]
  }
  // Python's order of topics and priorities is that of a set; consumer tags follow it.
  if (order === 'free') [mine, theirs] = [withoutTags(mine), withoutTags(theirs)]
  judge.same('declarations', mine, theirs)
}

const unique = (list: readonly string[]): string[] => [...new Set(list)]
const withoutTags = (list: readonly string[]): string[] =>
  list.map((text) => text.replace(/"consumer_tag":"\d+",/, '')).toSorted()
