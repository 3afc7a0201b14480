import { describe, expect, it } from 'vitest'
import { listLag } from '../../src/admin/lag.ts'
import type { AdminPort, PartitionBounds, PartitionOffset } from '../../src/port/client-port.ts'
import { ScriptedKafka } from '../support/scripted-client.ts'

const BOUNDS: Readonly<Record<string, readonly PartitionBounds[]>> = {
  'n.info': [
    { topic: 'n.info', partition: 0, low: 10, high: 50 },
    { topic: 'n.info', partition: 1, low: 0, high: 5 },
  ],
  'n.dead': [{ topic: 'n.dead', partition: 0, low: 0, high: 3 }],
  'n.audit': [{ topic: 'n.audit', partition: 0, low: 0, high: 7 }],
}

/** Only what lag is made of. */
const kafka = (
  groups: Readonly<Record<string, { readonly members: number; readonly at: readonly PartitionOffset[] }>>,
): AdminPort => ({
  ...new ScriptedKafka().createAdmin(),
  topics: async () => Object.keys(BOUNDS),
  groups: async () => Object.entries(groups).map(([group, { members }]) => ({ group, members })),
  bounds: async (topic: string) => BOUNDS[topic] ?? [],
  committed: async (group: string) => groups[group]?.at ?? [],
})

describe('queues on Kafka', () => {
  it('lag by topic and consumer group, from the oldest record that is still there', async () => {
    const found = await listLag(
      kafka({
        search: { members: 2, at: [{ topic: 'n.info', partition: 0, offset: 40 }] },
        // Its position is of records that the topic no longer keeps.
        gone: { members: 0, at: [{ topic: 'n.info', partition: 0, offset: 2 }] },
        done: { members: 0, at: [{ topic: 'n.info', partition: 1, offset: 5 }] },
      }),
    )
    expect(found.map(({ name, messages, consumers, orphan }) => [name, messages, consumers, orphan])).toEqual([
      ['n.info (search)', 10, 2, false],
      ['n.info (gone)', 40, 0, true],
      ['n.info (done)', 0, 0, false],
      ['n.dead', 3, 0, false],
      ['n.audit', 7, 0, false],
    ])
    expect(found.map(({ why }) => why)).toEqual([
      null,
      expect.stringContaining('nobody of the consumer group is there; its position stays'),
      'nobody of the consumer group is there, and nothing is left',
      'dead letters: oslo-msg redrive returns them',
      'no consumer group has a position in it',
    ])
  })
})
