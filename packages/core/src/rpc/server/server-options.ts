import { ExecutorLoadFailure } from '../../errors.ts'
import type { IdempotencyOptions } from '../../idempotency/idempotency-store.ts'
import type { Serializer } from '../../serializer/serializer.ts'
import type { PauseSettings } from '../../server/pause-switch.ts'
import type { OptionNames } from '../../util/check.ts'
import type { AnyMethods, MethodName } from '../contract.ts'
import type { RPCAccessPolicyClass } from './access-policy.ts'

/** Settings of a server. */
export interface RPCServerOptions<Api extends object = AnyMethods> {
  /** Default: changes nothing. */
  readonly serializer?: Serializer | null | undefined
  /** Which of the offered methods clients may call. Default DefaultRPCAccessPolicy: all but names that begin with
   *  `_`. */
  readonly accessPolicy?: RPCAccessPolicyClass | undefined
  /** The interface as a value, `{ build: true, reboot: true }`: nothing else is offered. Keeps methods out that only
   *  TypeScript calls private. Default: all that the endpoints offer. */
  readonly exposes?: Readonly<Record<MethodName<Api>, true>> | undefined
  /** `threading` and `eventlet` are taken for oslo's sake and mean the same here: the event loop. */
  readonly executor?: string | null | undefined
  /** Most requests handled at the same time. Default `[DEFAULT] executor_thread_pool_size`. */
  readonly workers?: number | undefined
  /** When a request is settled: `before` its method runs, at most once, as oslo does; or `after` its reply is with the
   *  broker, at least once: what a dying server was working on is delivered again, so methods must bear being run
   *  twice. Default: `[oslo_messaging_nodejs] rpc_acknowledge`, then the driver's own settings, then `before`. */
  readonly acknowledge?: 'before' | 'after' | undefined
  /** Stop taking requests while too many methods fail with what is not expected (`expectedExceptions`), and try one
   *  after a while. With `acknowledge: 'after'`, or while workers are free, what waits stays with the broker for other
   *  servers. Default: never. */
  readonly pause?: PauseSettings | undefined
  /** Run the method of a request once, although the broker delivers it again when a server dies or loses its
   *  connection: processes tell each other through a store. With `acknowledge: 'after'` only. Default: the method runs
   *  again. */
  readonly idempotency?: IdempotencyOptions | undefined
}

export const SERVER_OPTIONS: OptionNames<RPCServerOptions> & { readonly serverClass: true } = {
  serializer: true,
  accessPolicy: true,
  exposes: true,
  executor: true,
  workers: true,
  acknowledge: true,
  pause: true,
  idempotency: true,
  serverClass: true,
}

const EXECUTORS = ['threading', 'eventlet']

/** Throws ExecutorLoadFailure for what is not accepted for oslo's sake. */
export function checkExecutor(executor: string | null | undefined): void {
  if (executor === undefined || executor === null || EXECUTORS.includes(executor)) return
  throw new ExecutorLoadFailure(
    executor,
    `There is no executor ${executor}: leave it out; ${EXECUTORS.join(' and ')} are accepted and mean the event loop`,
  )
}
