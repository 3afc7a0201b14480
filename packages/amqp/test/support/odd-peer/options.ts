import type { OddConnection } from './connection.ts'
import type { Condition, Frame, Outcome } from './frames.ts'

/** How a peer behaves. Left out, it is an honest small broker. All of it can be changed while it runs; limits that are
 *  announced hold for what opens afterwards. */
export interface OddPeerOptions {
  /** Looks at each frame a client sends. True: it was dealt with, and the peer does nothing about it. */
  take?: ((frame: Frame, connection: OddConnection) => boolean) | undefined
  /** Sees what the peer says as usual; what it returns is said instead, undefined: nothing. */
  say?: ((frame: Frame, connection: OddConnection) => Frame | undefined) | undefined
  product?: string
  version?: string
  maxFrameSize?: number
  channelMax?: number
  /** Milliseconds, as announced. */
  idleTimeOut?: number
  handleMax?: number
  /** Transfers of a session at first; when given, more are let in only by `OddSession.window`. */
  incomingWindow?: number
  firstDeliveryId?: number
  initialDeliveryCount?: number
  maxMessageSize?: number
  /** Credit of the links that clients send on. Default: 1000, topped up; 0: none. */
  credit?: ((address: string) => number) | undefined
  /** Refuses to attach. */
  refuse?: ((address: string) => Condition | undefined) | undefined
  /** Addresses whose messages are dropped while no consumer has credit. Default: none. */
  keepsNothing?: (address: string) => boolean
  /** What becomes of messages of an address; null: nothing is said. Default: accepted. */
  outcome?: ((address: string) => Outcome | null | undefined) | undefined
  /** Code of the outcome of SASL. Default: 0, welcome. */
  saslCode?: number
  /** What RabbitMQ's management node is asked is answered with this status. Default: 201. */
  managementStatus?: ((method: string, path: string) => number | undefined) | undefined
}
