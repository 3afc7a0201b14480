/** What a driver can do, as data. Whatever is false is refused by name while transports, servers and listeners are
 *  built, and the conformance kit checks that refusal as it checks what is true. */
export interface DriverCapabilities {
  /** Requests, replies and RPC servers. When false, every other `rpc...` field is false as well. */
  readonly rpc: boolean
  /** One request to every server of a topic. */
  readonly rpcFanout: boolean
  /** Servers send signs of life during a call that asked for them. */
  readonly rpcCallMonitoring: boolean
  /** A request that no queue takes is reported (`MessageUndeliverable`) when `atLeastOnce` is asked for. */
  readonly rpcAtLeastOnce: boolean
  /** An unanswered call's request leaves the queue when its time is up. */
  readonly rpcExpiry: boolean
  /** A server may acknowledge a request after its reply (`acknowledge: 'after'`): what a dying server was working on is
   *  delivered again. */
  readonly rpcLateAcknowledgement: boolean
  /** Sending and receiving notifications. */
  readonly notifications: boolean
  /** A listener may hand a notification back, to be delivered again. */
  readonly requeue: boolean
  /** Deliveries offer `bury`: the broker keeps a notification that cannot be handled, with the reason, where an
   *  operator finds it. */
  readonly deadLetters: boolean
  /** Listeners of one named pool share a copy of each notification. */
  readonly pools: boolean
  /** A listener may say where its group begins in what it has never read (`startFrom`). */
  readonly startPositions: boolean
  /** A notification is kept when no listener has ever existed. */
  readonly storesBeforeListeners: boolean
  /** Two exchanges keep the same topic apart, for `rpc`, for `notifications`, for both or for neither. */
  readonly exchanges: 'none' | 'rpc' | 'notifications' | 'both'
  /** Virtual hosts of the URL keep their messages apart. */
  readonly virtualHosts: boolean
  /** Messages outlive a restart of the broker. */
  readonly persistence: boolean
  /** When a notification is settled towards the broker: `after-handler`, or `before-handler` (at most once, no
   *  redelivery). */
  readonly notificationAcknowledgement: 'before-handler' | 'after-handler'
  /** Order that listeners see: per queue with one listener (`queue`), per partition (`partition`), or no promise. */
  readonly ordering: 'queue' | 'partition' | 'none'
}

/** Everything off: spread it first and a capability added later is not claimed by accident. */
export const NO_CAPABILITIES: DriverCapabilities = Object.freeze({
  rpc: false,
  rpcFanout: false,
  rpcCallMonitoring: false,
  rpcAtLeastOnce: false,
  rpcExpiry: false,
  rpcLateAcknowledgement: false,
  notifications: false,
  requeue: false,
  deadLetters: false,
  pools: false,
  startPositions: false,
  storesBeforeListeners: false,
  exchanges: 'none',
  virtualHosts: false,
  persistence: false,
  notificationAcknowledgement: 'after-handler',
  ordering: 'none',
})
