import { describe, expect, it } from 'vitest'
import { sharedKafka, unique } from './support/broker.ts'
import { Child } from './support/child.ts'

const broker = await sharedKafka()
const SECONDS = 60
/** What a minute may cost on a machine that does nothing else. */
const CPU_MS = 100

describe.skipIf(broker === undefined)('kafka', () => {
  if (broker === undefined) return

  it('a listener to which nothing comes - no connection in a minute, and next to no CPU', async () => {
    const topic = unique('idle')
    await broker.createTopics([`${topic}.info`])
    const child = new Child('idle-process', [broker.url, topic, String(SECONDS)])
    await child.until((lines) => lines.length > 0, 'its figures', (SECONDS + 60) * 1000)
    await child.exited
    const { connections, cpuMs } = JSON.parse(child.lines[0] ?? '{}') as { connections: number; cpuMs: number }
    console.log(`idle listener: ${connections} connections and ${cpuMs} ms of CPU in ${SECONDS} s`)
    expect({ connections, isCheap: cpuMs <= CPU_MS }).toEqual({ connections: 0, isCheap: true })
  })
})
