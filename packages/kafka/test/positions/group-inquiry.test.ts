import { describe, expect, it } from 'vitest'
import { ClientFault } from '../../src/port/client-port.ts'
import { GroupInquiry } from '../../src/positions/group-inquiry.ts'
import { ScriptedKafka } from '../support/scripted-client.ts'

/** A client that counts the connections it makes for questions, and fails on the next ones where it is told to. */
function counted(kafka: ScriptedKafka) {
  const counts = { connects: 0, disconnects: 0, failures: 0 }
  const client = {
    createProducer: kafka.createProducer.bind(kafka),
    createConsumer: kafka.createConsumer.bind(kafka),
    createAdmin: () => {
      const admin = kafka.createAdmin()
      return {
        ...admin,
        connect: async () => {
          counts.connects += 1
          await admin.connect()
        },
        disconnect: async () => {
          counts.disconnects += 1
          await admin.disconnect()
        },
        bounds: async (topic: string) => {
          if (topic === 't' && counts.failures > 0) {
            counts.failures -= 1
            throw new ClientFault('ECONNRESET', 'reset')
          }
          return await admin.bounds(topic)
        },
      }
    },
  }
  return { counts, inquiry: new GroupInquiry(client, 'g', ['t', 'missing']) }
}

describe('questions about a group', () => {
  it('an idle listener asks again and again, and makes no new connection for it', async () => {
    const kafka = new ScriptedKafka()
    kafka.createTopic('t')
    const { counts, inquiry } = counted(kafka)
    for (let round = 0; round < 5; round += 1) expect([...(await inquiry.positions()).bounds.keys()]).toEqual(['t/0'])
    expect(counts).toMatchObject({ connects: 1, disconnects: 0 })
    await inquiry.close()
    expect(counts).toMatchObject({ connects: 1, disconnects: 1 })
  })

  it('a connection that has ended meanwhile is made anew once; what fails on a new one fails', async () => {
    const kafka = new ScriptedKafka()
    kafka.createTopic('t')
    const { counts, inquiry } = counted(kafka)
    await inquiry.positions()
    counts.failures = 1
    expect((await inquiry.positions()).bounds.size).toBe(1)
    expect(counts).toMatchObject({ connects: 2, disconnects: 1 })
    counts.failures = 2
    await expect(inquiry.positions()).rejects.toThrow('reset')
    await inquiry.positions()
    await inquiry.close()
    expect(counts.disconnects).toBe(counts.connects)
  })

  it('closed while a question is under way - no connection is left', async () => {
    const kafka = new ScriptedKafka()
    kafka.createTopic('t')
    const { counts, inquiry } = counted(kafka)
    const asking = inquiry.positions()
    await inquiry.close()
    await asking
    expect(counts.disconnects).toBe(counts.connects)
  })
})
