import { type Deadline, type Target, UnsupportedCapability } from '@oslo-messaging/core/driver'
import type { Addresser, Service } from './topic-addresses.ts'
import type { ListenerSource } from '../connection/links.ts'

/** How one kind of peer names its nodes, and what has to be there before a link can be attached. Chosen for each
 *  connection by what the peer says of itself (DESIGN D8). The optional parts are for peers that do not make nodes by
 *  themselves. */
export interface Addressing {
  /** For logs: `legacy`, `routable`, `rabbitmq`, `rabbitmq-plugin`. */
  readonly mode: string
  readonly address: Addresser['address']
  /** Makes what a sender to the target needs. Called before each attach. */
  readonly prepareToSend?: (target: Target, service: Service, deadline: Deadline) => Promise<void>
  /** What a listener attaches to, one source for each target, after making what they need. Default: the addresses of
   *  `address`. */
  readonly sources?: (wanted: WantedSources, deadline: Deadline) => Promise<readonly string[]>
  /** The same for a pool of notification listeners, which share a copy of each notification. Default: the peer has no
   *  pools. */
  readonly poolSources?: (
    targets: readonly Target[],
    pool: string,
    deadline: Deadline,
  ) => Promise<readonly ListenerSource[]>
  /** Where replies come in. Default: a dynamic source without conditions. An address is one that only this connection
   *  receives from. */
  readonly replySource?: (deadline: Deadline) => Promise<string>
  /** True: the peer loses messages without a body section; a sign of life then has a null one. */
  readonly needsBody?: boolean
  /** False: the peer ends the session when it gets a modified outcome. Default true. */
  readonly supportsModified?: boolean
  /** True: the peer says of a message that was given to somebody before that it is not the first to have it. Others
   *  leave that out, or pass on what the sender has written. */
  readonly tellsFirstAcquirer?: boolean
  /** True: the peer drops the connection when one read brings a settled and an unsettled message of one link. They have
   *  a link each then. */
  readonly settledApart?: boolean
}

/** What a listener wants to attach to. */
export interface WantedSources {
  readonly targets: readonly Target[]
  readonly service: Service
  /** Unique to the listener, and the same whenever it attaches again: what is made for it alone is found by it. */
  readonly owner: string
}

/** What a listener attaches to. */
export async function sourcesOf(
  addressing: Addressing,
  wanted: WantedSources,
  deadline: Deadline,
): Promise<readonly string[]> {
  if (addressing.sources !== undefined) return await addressing.sources(wanted, deadline)
  const { targets, service } = wanted
  return targets.map((target) => addressing.address(target, service))
}

/** What a listener of a pool attaches to. Rejects with UnsupportedCapability when the peer has no pools. */
export async function poolSourcesOf(
  addressing: Addressing,
  targets: readonly Target[],
  pool: string,
  deadline: Deadline,
): Promise<readonly ListenerSource[]> {
  if (addressing.poolSources === undefined)
    throw new UnsupportedCapability(
      'pools',
      `This peer has no pools of listeners over AMQP 1.0 (addresses: ${addressing.mode}); Artemis and RabbitMQ 4 have. Leave pool out and give each group its own topic`,
    )
  return await addressing.poolSources(targets, pool, deadline)
}
