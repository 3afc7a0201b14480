import { Deadline, type Driver, type IncomingRequest, type SendOptions, Target } from '@oslo-messaging/core/driver'
import { afterEach, beforeEach, expect, vi } from 'vitest'
import type { AmqpOptions } from '../../src/config.ts'
import type { OddPeerOptions } from './odd-peer/options.ts'
import { type OddPeer, startOddPeer } from './odd-peer.ts'
import { openDriver } from './open-driver.ts'

/** What tests with odd peers begin with: peers and drivers that are closed afterwards, and the judgement that nothing
 *  was unhandled and nothing printed. */
export interface Scene {
  peer(options?: OddPeerOptions): Promise<OddPeer>
  driver(peer: OddPeer, options?: Partial<AmqpOptions>): Promise<Driver>
}

/** Call it at the top of a file. */
export function oddScene(): Scene {
  let closers: (() => Promise<unknown>)[]
  let unhandled: unknown[]
  const onUnhandled = (error: unknown): void => void unhandled.push(error)
  beforeEach(() => {
    closers = []
    unhandled = []
    process.on('unhandledRejection', onUnhandled)
    process.on('uncaughtException', onUnhandled)
    vi.spyOn(console, 'error')
    vi.spyOn(console, 'warn')
  })
  afterEach(async () => {
    for (const close of closers.reverse()) await close()
    process.off('unhandledRejection', onUnhandled)
    process.off('uncaughtException', onUnhandled)
    const printed = [console.error, console.warn].flatMap((print) => vi.mocked(print).mock.calls)
    // Before anything is judged: the tests after this one have nothing to do with it.
    vi.restoreAllMocks()
    expect(unhandled).toEqual([])
    expect(printed).toEqual([])
  })
  return {
    async peer(options = {}) {
      const peer = await startOddPeer(options)
      closers.push(() => peer.close())
      return peer
    },
    async driver(peer, options = {}) {
      const driver = await openDriver(`amqp://127.0.0.1:${peer.port}/`, { addressing_mode: 'legacy', ...options })
      closers.push(() => driver.close({ signal: AbortSignal.timeout(100) }))
      return driver
    },
  }
}

export const request = { context: {}, message: { method: 'm', args: {} } }
export const pong = { result: 'pong', failure: null }

/** Options of a call, or of a cast with `waitForReply: false`, that may take so long. */
export const within = (ms: number, changes: Partial<SendOptions> = {}): SendOptions => ({
  waitForReply: true,
  deadline: Deadline.after(ms),
  expiresInMs: ms,
  callMonitorTimeoutMs: null,
  retries: null,
  atLeastOnce: false,
  ...changes,
})
export const cast = (ms: number): SendOptions => within(ms, { waitForReply: false, expiresInMs: null })

const echo = (incoming: IncomingRequest): void => {
  incoming.acknowledge()
  void incoming.reply(pong)
}

/** A server of the topic; it answers `pong`. */
export const serve = async (driver: Driver, topic: string, onMessage = echo, prefetch = 100) =>
  await driver.listen(new Target({ topic, server: 's' }), { deadline: Deadline.after(5_000), prefetch, onMessage })

/** What a promise ends with, whichever way. */
export const ending = (promise: Promise<unknown>): Promise<unknown> => promise.catch((error: unknown) => error)
