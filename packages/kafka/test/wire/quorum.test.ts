import { describe, expect, it } from 'vitest'
import { decodeQuorumClock, encodeQuorumRequest } from '../../src/wire/quorum.ts'

const hex = (...parts: readonly string[]): Buffer => Buffer.from(parts.join('').replaceAll(/\s/g, ''), 'hex')
const TOPIC = Buffer.from('__cluster_metadata').toString('hex')
const voter = (id: string, caughtUp: string): string => `${id} 0000000000000009 ffffffffffffffff ${caughtUp} 00`
const answer = (leader: string, ...voters: readonly string[]): Buffer =>
  hex(
    // Tags of the head, no error, one topic with one partition.
    `00 0000 02 13 ${TOPIC} 02 00000000 0000 ${leader} 00000001 0000000000000009`,
    `0${voters.length + 1} ${voters.join('')} 01 00 00 00`,
  )

describe('the question about the quorum of controllers', () => {
  it('asks for the one partition of the metadata', () => {
    expect(encodeQuorumRequest()).toEqual(hex(`00 02 13 ${TOPIC} 02 00000000 00 00 00`))
  })

  it('reads the time of the leader, which is not the first voter', () => {
    const other = voter('00000001', '0000018bcfe56800')
    const leader = voter('00000002', '0000019000000000')
    expect(decodeQuorumClock(answer('00000002', other, leader))).toBe(0x19000000000)
  })

  it.each([
    { name: 'a refusal', bytes: hex('00 001f 01 00'), type: 'CLUSTER_AUTHORIZATION_FAILED' },
    { name: 'no topic', bytes: hex('00 0000 01 00'), type: 'UNSUPPORTED_VERSION' },
    {
      name: 'no time',
      bytes: answer('00000001', voter('00000001', 'ffffffffffffffff')),
      type: 'UNSUPPORTED_VERSION',
    },
    {
      name: 'a leader that is no voter',
      bytes: answer('00000007', voter('00000001', '0000019000000000')),
      type: 'UNSUPPORTED_VERSION',
    },
  ])('$name - says that there is no time', ({ bytes, type }) => {
    expect(() => decodeQuorumClock(bytes)).toThrow(expect.objectContaining({ type }) as Error)
  })

  it('tagged fields are passed over', () => {
    const tagged = voter('00000001', '0000019000000000').replace(/00$/, '01 05 02 abcd')
    const bytes = Buffer.concat([hex('01 00 01 ff'), answer('00000001', tagged).subarray(1)])
    expect(decodeQuorumClock(bytes)).toBe(0x19000000000)
  })
})
