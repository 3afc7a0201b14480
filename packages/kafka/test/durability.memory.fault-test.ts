import { describe, expect, it } from 'vitest'
import { sharedKafka, unique } from './support/broker.ts'
import { Child } from './support/child.ts'

const broker = await sharedKafka()

describe.skipIf(broker === undefined)('kafka durability, memory', () => {
  if (broker === undefined) return

  it('1,000,000 notifications sent and received by one process - memory is flat', { timeout: 900_000 }, async () => {
    const child = new Child('memory-process', ['million', broker.url, unique('million')], ['--expose-gc'])
    await child.until((lines) => lines.includes('done'), 'a million', 880_000)
    await child.exited
    expect(child.lines).toContain('handled 1000000')
    const samples = child.lines.filter((line) => line.startsWith('heap ')).map((line) => Number(line.slice(5)))
    console.log(`heap and buffers each 50,000 notifications, MB: ${samples.join(' ')}`)
    // Samples are taken amid the work: up to 1,000 notifications and a few fetches are on their way.
    const least = (part: readonly number[]): number => Math.min(...part)
    expect(least(samples.slice(-6))).toBeLessThan(least(samples.slice(1, 7)) + 3)
    expect(Math.max(...samples)).toBeLessThan(150)
  })
})
