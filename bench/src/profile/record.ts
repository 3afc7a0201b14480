import { Session } from 'node:inspector/promises'
import type { Profiler } from 'node:inspector'

/** Microseconds between two samples. */
const INTERVAL_US = 200

/** Runs `work` in this process under V8's sampling profiler. */
export async function recordProfile(work: () => Promise<void>): Promise<Profiler.Profile> {
  const session = new Session()
  session.connect()
  try {
    await session.post('Profiler.enable')
    await session.post('Profiler.setSamplingInterval', { interval: INTERVAL_US })
    await session.post('Profiler.start')
    await work()
    const { profile } = await session.post('Profiler.stop')
    return profile
  } finally {
    session.disconnect()
  }
}
