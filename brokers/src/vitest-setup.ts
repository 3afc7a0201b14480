import { closeShared, SOCKET_VARIABLE } from './shared.ts'
import { SharedHost } from './shared-host.ts'

/** Vitest's globalSetup for projects that talk to real brokers. It starts nothing by itself: a broker comes up when the
 *  first test file asks `sharedBroker` for it, all test files of the run use that one, and it ends with the run. */
export default async function setup(): Promise<() => Promise<void>> {
  // Two projects of one run share as well; the one that came first looks after it.
  if (process.env[SOCKET_VARIABLE] !== undefined) return async () => undefined
  const host = await SharedHost.open()
  process.env[SOCKET_VARIABLE] = host.socket
  return async () => {
    await host.close()
    await closeShared()
  }
}
