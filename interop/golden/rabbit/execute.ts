import type { SharedRabbit } from '@oslo-messaging/brokers'

import type { Vector } from '../../../packages/rabbit/test/support/vectors.ts'
import { Judge, type Verdict } from '../judge.ts'
import { executeClientDeclares, executeHandshake, executeServerDeclares, executeStop } from './execute-lifecycle.ts'
import { executeConsume, executeListenerDeclares, executeNotifierDeclares, executeNotify } from './execute-notify.ts'
import {
  executeByHand,
  executeHeartbeatLeak,
  executeMissingQueue,
  executeRawRequest,
  executeRpc,
} from './execute-rpc.ts'

type Execute = (judge: Judge, rabbit: SharedRabbit, vector: Vector) => Promise<void>

/** How the vectors of each kind are executed; the first that matches counts. A vector of no kind is an error. */
const KINDS: readonly (readonly [name: RegExp, execute: Execute])[] = [
  [/^rabbit-rpc-reply-missing-queue-/, executeMissingQueue],
  [/^rabbit-rpc-/, executeRpc],
  [/^rabbit-edge-heartbeat-leak/, executeHeartbeatLeak],
  [/^rabbit-edge-(duplicate-notification|unknown-priority)/, executeConsume],
  [/^rabbit-edge-reply-/, executeByHand],
  [/^rabbit-edge-/, executeRawRequest],
  [/^rabbit-notification-consume-/, executeConsume],
  [/^rabbit-notify-/, executeNotify],
  [/^rabbit-declare-(rpc-server|durable-mismatch)/, executeServerDeclares],
  [/^rabbit-declare-(rpc-client|reply-queue)/, executeClientDeclares],
  [/^rabbit-declare-notification-listener/, executeListenerDeclares],
  [/^rabbit-declare-notifier/, executeNotifierDeclares],
  [/^rabbit-(stop-rpc-server|server-stop|client-cleanup)/, executeStop],
  [/^rabbit-connection-handshake/, executeHandshake],
]

/** A monitor allows one or two seconds of silence, and a machine that starts brokers beside it may be silent for
 *  longer: there are other tries. A heartbeat that is not sent is missed in each of them. */
const IN_A_HURRY = /-monitor/
const TRIES = 3

/** Executes one vector against a real broker. */
export async function executeRabbit(rabbit: SharedRabbit, vector: Vector): Promise<Verdict> {
  const kind = KINDS.find(([name]) => name.test(vector.file))
  if (kind === undefined) throw new Error(`there is no way to execute ${vector.file}`)
  for (let tries = IN_A_HURRY.test(vector.file) ? TRIES : 1; ; tries--) {
    const judge = new Judge(vector.file.replace('.json', ''))
    await kind[1](judge, rabbit, vector)
    const verdict = judge.verdict()
    if (verdict.outcome !== 'differs' || tries === 1) return verdict
    process.stderr.write(`${vector.file} is executed again: ${verdict.details.join('\n')}\n`)
  }
}
