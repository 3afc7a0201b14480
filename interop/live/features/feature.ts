import type {
  LiveClient,
  LiveListener,
  LiveNotifier,
  LiveServer,
  ListenOptions,
  NotifierOptions,
  Side,
} from '../side.ts'

/** What a transport may not have; its row says why. */
export type Need =
  | 'rpc'
  | 'at-least-once'
  | 'expiry'
  | '4 MiB messages'
  | 'requeue'
  | 'pools'
  | 'shared pools'
  | 'no pools'
  | 'storage'
  | 'notification contexts'
  | 'sharing by servers'
  | 'sharing by listeners'
  | 'labelled metrics'

/** Two sides on one transport: one asks, the other answers. */
export interface RpcScene {
  readonly caller: Side
  readonly callee: Side
  /** Served by `one` and `two`, each with an endpoint of version 1.5 and one in the namespace `ns` of version 1.2. */
  readonly topic: string
  readonly one: LiveServer
  readonly two: LiveServer
  readonly client: LiveClient
  /** Is not allowed to rebuild anything but Python's builtins. */
  readonly stranger: LiveClient
  /** A topic served by the caller's own library, with the same endpoints: what it answers is what a caller expects. */
  readonly reference: string
}

/** Two sides on one transport: one tells, the other listens. */
export interface NotifyScene {
  readonly teller: Side
  readonly listener: Side
  /** Most messages that the transport lets a listener have at the same time. */
  readonly prefetch: number
  /** A topic of one's own, made where topics have to be made. */
  topic(word: string): Promise<string>
  /** A notifier of the telling side. */
  notifier(options: NotifierOptions): Promise<LiveNotifier>
  /** A listener of the other, in a group of its own where listeners without one would share. */
  listen(options: ListenOptions): Promise<LiveListener>
}

export interface RpcFeature {
  readonly kind: 'rpc'
  readonly name: string
  readonly needs: readonly Need[]
  readonly run: (scene: RpcScene) => Promise<void>
  /** Why ours cannot be the side that sends. */
  readonly pythonSendsOnly?: string
}

export interface NotifyFeature {
  readonly kind: 'notify'
  readonly name: string
  readonly needs: readonly Need[]
  readonly run: (scene: NotifyScene) => Promise<void>
  readonly pythonSendsOnly?: string
}

export type Feature = RpcFeature | NotifyFeature

/** A feature of RPC; `needs` beyond RPC itself. */
export function rpc(name: string, run: RpcFeature['run'], needs: readonly Need[] = []): RpcFeature {
  return { kind: 'rpc', name, needs: ['rpc', ...needs], run }
}

export function notify(name: string, run: NotifyFeature['run'], needs: readonly Need[] = []): NotifyFeature {
  return { kind: 'notify', name, needs, run }
}
