import type { Priority } from '@oslo-messaging/core'

import type { Inbox } from '../test/support/inbox.ts'

export type Fields = Readonly<Record<string, unknown>>

/** Where a message goes, by oslo's names. */
export interface LiveTarget {
  readonly exchange?: string
  readonly topic?: string
  readonly namespace?: string
  readonly version?: string
  readonly server?: string
  readonly fanout?: boolean
}

/** An error as its side shows it, in words that both sides share. */
export interface SeenError {
  /** Class, without the ending that rebuilt ones have. `MessagingTimeout` also stands for ours that say more
   *  (`ServerLost`). */
  readonly type: string
  /** Class on the far side; undefined when the error was made here. */
  readonly origin: string | undefined
  /** The origin's class was rebuilt; otherwise it arrived as RemoteError. */
  readonly rebuilt: boolean
  /** Text without a traceback. */
  readonly message: string
  readonly traceback: string
  readonly kwargs: Fields
  /** Everything its side knows, to be compared with another answer of the same side. */
  readonly raw: unknown
}

export type Answer =
  | { readonly value: unknown; readonly error?: undefined; readonly ms: number }
  | { readonly value?: undefined; readonly error: SeenError; readonly ms: number }

/** A request as an endpoint saw it. */
export interface SeenRequest {
  readonly method: string
  readonly ctxt: Fields
  readonly args: Fields
  readonly namespace: string | null
}

export interface SeenNotification {
  readonly priority: Priority
  readonly ctxt: Fields
  readonly publisherId: string | null
  readonly eventType: string | null
  readonly payload: unknown
  readonly metadata: { readonly message_id: string | null; readonly timestamp: string | null }
}

export interface SeenBatch {
  readonly priority: Priority
  readonly messages: readonly Omit<SeenNotification, 'priority'>[]
}

export interface ServeOptions {
  readonly topic: string
  readonly server: string
  readonly exchange?: string
  /** One endpoint each; default one without namespace, version 1.0. */
  readonly endpoints?: readonly { readonly namespace: string | null; readonly version: string }[]
  readonly policy?: 'default' | 'legacy' | 'explicit'
  /** Keep no record of requests. */
  readonly quiet?: boolean
  /** Transport URL, when not that of the side. */
  readonly url?: string
}

/** An RPC server with the endpoint that every side has: ping, whoami, echo, give, context, add, subtract, append,
 *  state, sleep, relay, fail, fail_expected. */
export interface LiveServer {
  /** What `whoami` answers. */
  readonly name: string
  readonly requests: Inbox<SeenRequest>
  /** Resolves when everything it has taken is answered. */
  stop(): Promise<void>
}

export interface ClientOptions {
  readonly target: LiveTarget
  readonly timeoutMs?: number
  readonly versionCap?: string
  /** Rebuild exceptions of the module `demo_errors`. */
  readonly allowDemoErrors?: boolean
  readonly url?: string
}

/** Whatever differs from what the client was made with. */
export interface CallWish {
  readonly target?: LiveTarget
  readonly ctxt?: Fields
  readonly timeoutMs?: number
  readonly monitorMs?: number
  readonly retry?: number
  readonly versionCap?: string
  readonly atLeastOnce?: boolean
}

export interface LiveClient {
  call(method: string, args?: Fields, wish?: CallWish): Promise<Answer>
  cast(method: string, args?: Fields, wish?: CallWish): Promise<Answer>
  canSendVersion(version: string, versionCap: string): Promise<Answer>
}

export interface NotifierOptions {
  readonly topics: readonly string[]
  /** Format 1.0 is `messaging`, 2.0 `messagingv2` (default). */
  readonly driver?: 'messaging' | 'messagingv2'
  readonly publisherId?: string
}

export interface LiveNotifier {
  /** Resolves when the side has done its part; rejects when it could not. With a context it is one that knows how to be
   *  redacted of `auth_token`. */
  notify(
    priority: Priority,
    eventType: string,
    payload: unknown,
    more?: { readonly ctxt?: Fields; readonly publisherId?: string },
  ): Promise<void>
}

export interface ListenOptions {
  readonly topics: readonly string[]
  readonly priorities?: readonly Priority[]
  readonly pool?: string | undefined
  readonly allowRequeue?: boolean
  /** Answer REQUEUE to so many deliveries. */
  readonly requeueFirst?: number
  readonly filter?: {
    readonly publisher_id?: string
    readonly event_type?: string
    readonly context?: Readonly<Record<string, string>>
    readonly metadata?: Readonly<Record<string, string>>
    readonly payload?: Readonly<Record<string, string>>
  }
  readonly batchSize?: number
  readonly batchTimeoutMs?: number
}

export interface LiveListener {
  readonly notifications: Inbox<SeenNotification>
  readonly batches: Inbox<SeenBatch>
  stop(): Promise<void>
}

/** One library on one transport, in all its roles. Features are written against this, so that each is asked of both
 *  libraries in the same words. */
export interface Side extends AsyncDisposable {
  readonly kind: 'ours' | 'python'
  readonly version: string
  serve(options: ServeOptions): Promise<LiveServer>
  client(options: ClientOptions): Promise<LiveClient>
  notifier(options: NotifierOptions): Promise<LiveNotifier>
  listen(options: ListenOptions): Promise<LiveListener>
  /** Makes a server with an endpoint whose `target` is no Target; resolves to the class of the error that this is. */
  refusalOfBadEndpoint(): Promise<string>
  /** Stops what was made, in order, and closes. */
  close(): Promise<void>
}
