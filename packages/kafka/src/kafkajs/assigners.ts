import { type Assigner, AssignerProtocol, type PartitionAssigner } from 'kafkajs'
import { type AssignmentRule, type GroupMember, STRATEGIES } from '../port/group-assignment.ts'

/** Asks for the partitions of a topic this member does not read itself. Empty when there is no such topic. */
export type AskPartitions = (topics: readonly string[]) => Promise<ReadonlyMap<string, readonly number[]>>

/** The strategies as kafkajs takes them. Its own rule gives every member the topics of the leader, so that services
 *  which share a group and read different topics would get nothing. */
export function partitionAssigners(ask: AskPartitions): PartitionAssigner[] {
  return STRATEGIES.map(({ name, version, rule }) => createAssigner(name, version, rule, ask))
}

function createAssigner(name: string, version: number, rule: AssignmentRule, ask: AskPartitions): PartitionAssigner {
  return ({ cluster }): Assigner => ({
    name,
    version,
    protocol: ({ topics }) => ({
      name,
      metadata: AssignerProtocol.MemberMetadata.encode({ version, topics, userData: Buffer.alloc(0) }),
    }),
    assign: async ({ members, topics }) => {
      const wishes = members.map(({ memberId, memberMetadata }): GroupMember => {
        const metadata = AssignerProtocol.MemberMetadata.decode(memberMetadata)
        return { id: memberId, topics: metadata?.topics ?? [] }
      })
      const wanted = [...new Set(wishes.flatMap((member) => member.topics))]
      const foreign = wanted.filter((topic) => !topics.includes(topic))
      const partitions = new Map(foreign.length === 0 ? [] : await ask(foreign))
      for (const topic of topics) {
        const numbers = cluster.findTopicPartitionMetadata(topic).map(({ partitionId }) => partitionId)
        partitions.set(
          topic,
          numbers.toSorted((a, b) => a - b),
        )
      }
      return [...rule(wishes, partitions)].map(([memberId, assignment]) => ({
        memberId,
        memberAssignment: AssignerProtocol.MemberAssignment.encode({
          version,
          assignment: assignment as Record<string, number[]>,
          userData: Buffer.alloc(0),
        }),
      }))
    },
  })
}
