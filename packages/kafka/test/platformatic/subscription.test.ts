import { AssignerProtocol } from 'kafkajs'
import { describe, expect, it } from 'vitest'
import {
  encodeAssignment,
  readAssignment,
  readSubscription,
  subscriptions,
} from '../../src/platformatic/subscription.ts'

const userData = Buffer.alloc(0)

describe('what members of a group tell each other', () => {
  it('is written as kafkajs writes it', () => {
    const topics = ['one', 'zwölf']
    expect(subscriptions(topics)).toEqual(
      [
        { name: 'roundrobin', version: 0 },
        { name: 'range', version: 0 },
        { name: 'RoundRobinAssigner', version: 1 },
      ].map(({ name, version }) => ({
        name,
        metadata: AssignerProtocol.MemberMetadata.encode({ version, topics, userData }),
      })),
    )
    const assignment = { one: [0, 2], two: [1] }
    expect(encodeAssignment(1, assignment)).toEqual(
      AssignerProtocol.MemberAssignment.encode({ version: 1, assignment, userData }),
    )
  })

  it('is read as kafkajs writes it', () => {
    const metadata = AssignerProtocol.MemberMetadata.encode({ version: 1, topics: ['a', 'b'], userData })
    expect(readSubscription('m', metadata)).toEqual({ id: 'm', topics: ['a', 'b'] })
    const assignment = AssignerProtocol.MemberAssignment.encode({ version: 0, assignment: { a: [3, 1] }, userData })
    expect(readAssignment(assignment)).toEqual([
      { topic: 'a', partition: 3 },
      { topic: 'a', partition: 1 },
    ])
  })

  it('nothing at all - a member that wants nothing, and has nothing', () => {
    expect(readSubscription('m', null)).toEqual({ id: 'm', topics: [] })
    expect(readAssignment(Buffer.alloc(0))).toEqual([])
  })
})
