import type { DeliveryFacts, MessageContext } from '../driver/messages.ts'
import type { Target } from '../target.ts'
import { checkFunction, checkOptions, type OptionNames } from '../util/check.ts'
import type { Deadline } from '../util/deadline.ts'

interface Operation {
  /** Name of the driver: `rabbit`. */
  readonly driver: string
}

interface Sending extends Operation {
  /** May be replaced by another object; what is redacted or serialized is what is here when the last interceptor has
   *  gone on. */
  context: object
  /** Transport headers: may be added to, changed and removed. Empty when the application gave none. */
  readonly headers: Record<string, string>
  /** What is left of the time, and the application's signal. */
  readonly deadline: Deadline
}

/** A call or cast of an RPC client. */
export interface SendOperation extends Sending {
  readonly kind: 'call' | 'cast'
  readonly target: Target
  readonly method: string
  /** Named arguments as the application gave them. */
  readonly args: unknown
}

/** A notification of a notifier, once for all its topics. */
export interface NotifyOperation extends Sending {
  readonly kind: 'notify'
  readonly topics: readonly string[]
  /** Lower case. */
  readonly priority: string
  readonly publisherId: string | null
  readonly eventType: string
  readonly payload: unknown
  readonly orderingKey: string | undefined
}

/** A request at an RPC server, whose method was found and may be called. */
export interface ServeOperation extends Operation {
  readonly kind: 'serve'
  /** Of the server. */
  readonly target: Target
  readonly method: string
  readonly namespace: string | null
  readonly version: string
  readonly args: Readonly<Record<string, unknown>>
  /** As it came, before the serializer; may be replaced. */
  context: MessageContext
  readonly headers: Readonly<Record<string, string>>
  readonly redelivered: boolean | undefined
  /** Milliseconds the caller still waits, at most; null when that is unknown, as with casts. */
  readonly remainingMs: number | null
  /** Aborts when nobody waits for the method any more. */
  readonly signal: AbortSignal
}

/** One notification on its way to the endpoints. */
export interface InterceptedNotification {
  /** May be replaced. */
  ctxt: object
  readonly publisherId: string | null
  readonly eventType: string | null
  readonly payload: unknown
  readonly metadata: { readonly message_id: string | null; readonly timestamp: string | null }
  readonly delivery: DeliveryFacts
}

/** Notifications at a listener: one, or with a batch listener those of one priority in a batch. Comes again with each
 *  attempt. */
export interface ListenOperation extends Operation {
  readonly kind: 'listen'
  /** Names the listener: `notification listener notifications`. */
  readonly listener: string
  /** Lower case. */
  readonly priority: string
  readonly notifications: readonly InterceptedNotification[]
}

/** What is done to a delivery at its end: `requeue` gives it back as it is, `retry-later` has it come again after a
 *  while, `discard` refuses it. */
export type SettleAction = 'acknowledge' | 'requeue' | 'retry-later' | 'dead-letter' | 'discard'

/** The settling of one notification, or of one request with late acknowledgement. Not of what the broker had forgotten
 *  when it came. */
export interface SettleOperation extends Operation {
  readonly kind: 'settle'
  /** Names the server or listener: `notification listener notifications`. */
  readonly receiver: string
  readonly action: SettleAction
  /** As it came, before the serializer. */
  readonly context: MessageContext
  readonly headers: Readonly<Record<string, string>>
  readonly uniqueId: string | undefined
}

/** Goes around one operation. `next` does the rest, further interceptors included, and gives its outcome: the reply of
 *  a call, the result of a method, whether an endpoint asked for requeue.
 *  Not calling it and throwing refuses the operation: the caller gets the error, a method's client gets it as a
 *  failure, a notification is left to the failure policy. */
export type Interception<Op, Result> = (operation: Op, next: () => Promise<Result>) => Promise<Result>

/** What sees, changes or refuses the operations of one transport. Logging, tracing, authorization and validation are
 *  made of it. Every part may be left out. */
export interface Interceptor {
  readonly call?: Interception<SendOperation, unknown>
  readonly cast?: Interception<SendOperation, void>
  readonly notify?: Interception<NotifyOperation, void>
  readonly serve?: Interception<ServeOperation, unknown>
  readonly listen?: Interception<ListenOperation, 'handled' | 'requeue'>
  /** Cannot refuse: what it does not settle, or what it throws before, is settled all the same and reported. Only of a
   *  retry and a dead letter is an error told to the failure policy, which tries again. */
  readonly settle?: Interception<SettleOperation, void>
}

const NAMES: OptionNames<Interceptor> = {
  call: true,
  cast: true,
  notify: true,
  serve: true,
  listen: true,
  settle: true,
}

/** The interceptors of one transport, by what they go around. A kind that nobody asked for is undefined, so that it
 *  costs one look. */
export class Interceptors {
  call: readonly Interception<SendOperation, unknown>[] | undefined
  cast: readonly Interception<SendOperation, void>[] | undefined
  notify: readonly Interception<NotifyOperation, void>[] | undefined
  serve: readonly Interception<ServeOperation, unknown>[] | undefined
  listen: readonly Interception<ListenOperation, 'handled' | 'requeue'>[] | undefined
  settle: readonly Interception<SettleOperation, void>[] | undefined
  #all: readonly Interceptor[] = []

  /** Adds one inside those that are there; the returned function takes it out again. Throws TypeError for what is
   *  none. */
  add(interceptor: Interceptor): () => void {
    checkOptions('use', interceptor, NAMES)
    for (const name of Object.keys(NAMES) as (keyof Interceptor)[])
      checkFunction(`The interceptor's ${name}`, interceptor[name])
    // An object of its own: the same interceptor may be added twice.
    const added = { ...interceptor }
    this.#set([...this.#all, added])
    return () => this.#set(this.#all.filter((other) => other !== added))
  }

  #set(all: readonly Interceptor[]): void {
    this.#all = all
    this.call = partsOf(all, 'call')
    this.cast = partsOf(all, 'cast')
    this.notify = partsOf(all, 'notify')
    this.serve = partsOf(all, 'serve')
    this.listen = partsOf(all, 'listen')
    this.settle = partsOf(all, 'settle')
  }
}

/** Runs an operation inside its interceptors, the first that was added outermost. Every promise is passed on as it is:
 *  with asynchronous functions here each interceptor cost three more of them for each message. */
export function intercept<Op, Result>(
  interceptions: readonly Interception<Op, Result>[],
  operation: Op,
  last: () => Promise<Result>,
): Promise<Result> {
  const run = (index: number): Promise<Result> => {
    try {
      const interception = interceptions[index]
      const outcome: unknown = interception === undefined ? last() : interception(operation, () => run(index + 1))
      // What JavaScript gives instead of a promise is its value.
      return outcome instanceof Promise ? (outcome as Promise<Result>) : Promise.resolve(outcome as Result)
    } catch (error) {
      return Promise.reject(error)
    }
  }
  return run(0)
}

function partsOf<Name extends keyof Interceptor>(
  all: readonly Interceptor[],
  name: Name,
): readonly NonNullable<Interceptor[Name]>[] | undefined {
  const parts = all.map((one) => one[name]).filter((part) => part !== undefined)
  return parts.length === 0 ? undefined : parts
}
