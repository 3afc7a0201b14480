/** Who of a group gets which partition. Kafka lets one member decide for all, so these are the rules every client has
 *  under the same names; groups may mix our listeners with Python's (librdkafka: `range`, `roundrobin`) and others.
 *  Pure. */

export interface GroupMember {
  readonly id: string
  /** What it subscribed to: members of one group need not agree. */
  readonly topics: readonly string[]
}

/** Partitions by topic, of one member. */
export type Assignment = Readonly<Record<string, readonly number[]>>

export type AssignmentRule = (
  members: readonly GroupMember[],
  partitions: ReadonlyMap<string, readonly number[]>,
) => ReadonlyMap<string, Assignment>

/** Deals all partitions out in turn, each to the next member that wants its topic. */
export const assignRoundRobin: AssignmentRule = (members, partitions) => {
  const hands = deal(members)
  const order = sorted(members)
  let turn = 0
  for (const topic of [...partitions.keys()].toSorted()) {
    if (!order.some((member) => member.topics.includes(topic))) continue
    for (const partition of partitions.get(topic) ?? []) {
      let member = order[turn % order.length]
      while (member?.topics.includes(topic) === false) member = order[++turn % order.length]
      turn += 1
      if (member !== undefined) give(hands, member.id, topic, partition)
    }
  }
  return hands
}

/** Cuts each topic into neighbouring ranges, one for each member that wants it; the first members get one more when it
 *  does not come out even. */
export const assignRange: AssignmentRule = (members, partitions) => {
  const hands = deal(members)
  for (const [topic, numbers] of partitions) {
    const takers = sorted(members).filter((member) => member.topics.includes(topic))
    const each = Math.floor(numbers.length / takers.length)
    const more = numbers.length % takers.length
    let at = 0
    takers.forEach((member, index) => {
      const count = each + (index < more ? 1 : 0)
      for (const partition of numbers.slice(at, at + count)) give(hands, member.id, topic, partition)
      at += count
    })
  }
  return hands
}

/** The rules under the names other clients know: `roundrobin` and `range` of Java and librdkafka (Python), and the one
 *  of plain kafkajs programs. */
export const STRATEGIES: readonly { readonly name: string; readonly version: number; readonly rule: AssignmentRule }[] =
  [
    { name: 'roundrobin', version: 0, rule: assignRoundRobin },
    { name: 'range', version: 0, rule: assignRange },
    { name: 'RoundRobinAssigner', version: 1, rule: assignRoundRobin },
  ]

type Hands = Map<string, Record<string, number[]>>

function deal(members: readonly GroupMember[]): Hands {
  return new Map(members.map(({ id }) => [id, {}]))
}

function sorted(members: readonly GroupMember[]): readonly GroupMember[] {
  return members.toSorted((one, other) => (one.id < other.id ? -1 : 1))
}

function give(hands: Hands, id: string, topic: string, partition: number): void {
  const hand = hands.get(id)
  if (hand !== undefined) (hand[topic] ??= []).push(partition)
}
