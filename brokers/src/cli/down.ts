import { rm } from 'node:fs/promises'

import { poll } from '../deadline.ts'
import { isAlive } from '../process-identity.ts'
import { type RunningBroker, stateFile } from './state.ts'

/** Ends a broker and its keeper; resolves when both are gone. A keeper that does not listen is killed, which kills its
 *  broker. */
export async function takeDown(state: RunningBroker): Promise<void> {
  const { pid, identity } = state.keeper
  const gone = (timeoutMs: number): Promise<true> =>
    poll(() => !isAlive(pid, identity) || undefined, {
      timeoutMs,
      late: () => new Error(`Process ${pid} does not end`),
    })
  if (isAlive(pid, identity)) process.kill(pid, 'SIGTERM')
  await gone(20_000).catch(async () => {
    process.kill(pid, 'SIGKILL')
    await gone(5000)
  })
  await rm(stateFile(state.name), { force: true })
}
