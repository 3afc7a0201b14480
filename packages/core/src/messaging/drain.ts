import type { Logger } from '../diagnostics/logger.ts'
import type { MessageServer } from '../server/message-server.ts'
import { type CloseOptions, withPatience } from '../transport/patience.ts'
import type { Transport } from '../transport/transport.ts'
import { untilAborted } from '../util/abort.ts'
import type { Clock } from '../util/clock.ts'

/** What a drain had to leave behind; everything 0 and empty when all was done. */
export interface DrainReport {
  /** Messages whose handlers had not finished: requests, notifications, and those that no worker had taken. */
  readonly abandoned: number
  /** The same by server and listener; those with 0 are left out. */
  readonly servers: readonly { readonly name: string; readonly abandoned: number }[]
  /** Calls, casts and notifications that had not settled. */
  readonly unsent: number
  readonly durationMs: number
}

interface Drain {
  readonly options: CloseOptions
  /** Aborts when the shortest patience of all callers has ended. */
  readonly impatience: AbortController
  /** RPC first. */
  readonly transports: readonly Transport[]
  readonly servers: Iterable<MessageServer>
  /** Runs the work once, whoever asks. */
  readonly once: (work: () => Promise<DrainReport>) => Promise<DrainReport>
  readonly logger: Logger
  readonly clock: Clock
}

/** Waits for the drain as long as this caller wants to, and then has it cut off what is left. */
export async function drainInOrder(drain: Drain): Promise<DrainReport> {
  const { options, impatience, clock } = drain
  return await withPatience('drain', options, clock, impatience, () => drain.once(() => run(drain)))
}

async function run({ impatience: { signal }, transports, servers, logger }: Drain): Promise<DrainReport> {
  const begun = performance.now()
  const all = [...servers]
  // What nobody hands back now would be taken by this process only to be abandoned.
  await untilAborted(Promise.allSettled(all.map(async (server) => await server.stop({ logAfterMs: 0 }))), signal)
  // Handlers may call and notify over either bus, so both stay open until the last of them is done.
  await untilAborted(Promise.allSettled(all.map(async (server) => await server.wait({ logAfterMs: 0 }))), signal)
  const left = all.map(({ name, unfinished }) => ({ name, abandoned: unfinished })).filter((each) => each.abandoned > 0)
  let unsent = 0
  for (const transport of transports) unsent += await transport.flush({ timeoutMs: null, signal })
  let abandoned = 0
  for (const transport of transports) abandoned += (await transport.close({ timeoutMs: null, signal })).abandoned
  const report = { abandoned, servers: left, unsent, durationMs: Math.round(performance.now() - begun) }
  if (abandoned + unsent > 0) logger.warn('Drained, but not everything was done in time', { ...report })
  else logger.info('Drained', { ...report })
  return report
}
