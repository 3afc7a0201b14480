import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { setTimeout as sleep } from 'node:timers/promises'
import type { DiagnosticEvents, Transport } from '@oslo-messaging/core'
import { busOf, Deadline, type RPCReply, Target, type TargetFields } from '@oslo-messaging/core/driver'

/** What one server answered. */
export interface Pong {
  /** Its name where it was asked by it; its place in the order of the answers otherwise. */
  readonly server: string
  /** null: no answer. */
  readonly ms: number | null
  readonly says: string
}

/** How long to wait. */
export interface PingWaits {
  readonly waitMs: number
  readonly connectMs: number
  readonly signal: AbortSignal
}

const REQUEST = { context: {}, message: { method: 'oslo_rpc_server_ping', args: {} } } as const
const ALIVE = 'pong'
/** A server without the ping endpoint says that it has no such method, which takes being alive. */
const ALIVE_WITHOUT = 'alive, rpc_ping_enabled is off'

/** Asks one server by its name. */
export async function pingOne(transport: Transport, target: TargetFields, waits: PingWaits): Promise<Pong> {
  const { clock } = transport
  const server = target.server ?? ''
  await connect(transport, target, waits)
  const begun = clock.now()
  try {
    const reply = await send(transport, target, waits.waitMs, waits.signal)
    return { server, ms: clock.now() - begun, says: saysOf(reply) }
  } catch (error) {
    waits.signal.throwIfAborted()
    return {
      server,
      ms: null,
      says: isTimeout(error) ? 'no answer' : error instanceof Error ? error.message : String(error),
    }
  }
}

/** Asks every server of a topic with one fanout request that wants a reply. The first answer is the reply, and what
 *  comes after it nobody waits for any more: the library tells of each as a late reply, which is what is counted. */
export async function pingAll(transport: Transport, target: TargetFields, waits: PingWaits): Promise<readonly Pong[]> {
  const { clock } = transport
  await connect(transport, target, waits)
  const late: number[] = []
  const note = (event: unknown): void => {
    if ((event as DiagnosticEvents['oslo-messaging:message-dropped']).reason === 'late-reply') late.push(clock.now())
  }
  subscribe('oslo-messaging:message-dropped', note)
  const begun = clock.now()
  try {
    const reply = await send(transport, { ...target, fanout: true }, waits.waitMs, waits.signal)
    const first = { server: '1', ms: clock.now() - begun, says: saysOf(reply) }
    // Later ones are on their way.
    await sleep(Math.max(0, waits.waitMs - first.ms), undefined, { signal: waits.signal }).catch(() => {})
    return [first, ...late.map((at, index) => ({ server: String(index + 2), ms: at - begun, says: 'answered' }))]
  } catch (error) {
    waits.signal.throwIfAborted()
    if (isTimeout(error)) return []
    throw error
  } finally {
    unsubscribe('oslo-messaging:message-dropped', note)
  }
}

/** Connects and makes the way of replies, so that it is no part of a round trip, by a ping of whichever server is the
 *  quickest. What the broker refuses is thrown; that nobody answers is not for this one to tell. */
async function connect(
  transport: Transport,
  { topic, exchange }: TargetFields,
  { connectMs, waitMs, signal }: PingWaits,
): Promise<void> {
  try {
    await busOf(transport).send(new Target({ topic, exchange }), REQUEST, {
      waitForReply: true,
      deadline: Deadline.after(connectMs, { signal }),
      expiresInMs: waitMs,
      callMonitorTimeoutMs: null,
      retries: null,
      atLeastOnce: transport.capabilities.rpcAtLeastOnce,
    })
  } catch (error) {
    const isUnanswered = isTimeout(error) && error instanceof Error && 'phase' in error && error.phase === 'reply'
    if (!isUnanswered && !hasCode(error, 'UNDELIVERABLE')) throw error
  }
}

async function send(
  transport: Transport,
  target: TargetFields,
  waitMs: number,
  signal: AbortSignal,
): Promise<RPCReply | undefined> {
  return await busOf(transport).send(new Target(target), REQUEST, {
    waitForReply: true,
    deadline: Deadline.after(waitMs, { signal }),
    expiresInMs: waitMs,
    callMonitorTimeoutMs: null,
    retries: null,
    atLeastOnce: false,
  })
}

function saysOf(reply: RPCReply | undefined): string {
  return reply === undefined || reply.failure === null ? ALIVE : ALIVE_WITHOUT
}

const isTimeout = (error: unknown): boolean => hasCode(error, 'TIMEOUT')

function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === `OSLO_MESSAGING_${code}`
}
