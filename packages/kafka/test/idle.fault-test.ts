import { describe, expect, it } from 'vitest'
import { sharedKafka, unique } from './support/broker.ts'
import { Child } from './support/child.ts'

const broker = await sharedKafka()
const SECONDS = 60

interface Figures {
  readonly connections: number
  readonly cpuMs: number
}

describe.skipIf(broker === undefined)('kafka', () => {
  if (broker === undefined) return

  it('a listener to which nothing comes - no connection in a minute, and less CPU than one by hand that asks as often', async () => {
    const topic = unique('idle')
    await broker.createTopics([`${topic}.info`])
    const figuresOf = async (whose: 'ours' | 'plain'): Promise<Figures> => {
      const child = new Child('idle-process', [broker.url, topic, String(SECONDS), whose])
      await child.until((lines) => lines.length > 0, 'its figures', (SECONDS + 60) * 1000)
      await child.exited
      return JSON.parse(child.lines[0] ?? '{}') as Figures
    }
    // Side by side, so that a busy machine costs both alike.
    const [ours, plain] = await Promise.all([figuresOf('ours'), figuresOf('plain')])
    console.log(
      `idle for ${SECONDS} s: ours ${ours.cpuMs} ms of CPU, by hand ${plain.cpuMs}; ${ours.connections} connections`,
    )
    expect(ours.connections).toBe(0)
    expect(ours.cpuMs).toBeLessThan(0.3 * plain.cpuMs)
  })
})
