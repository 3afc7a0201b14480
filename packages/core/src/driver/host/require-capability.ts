import { UnsupportedCapability } from '../../errors.ts'
import type { DriverCapabilities } from '../capabilities.ts'

/** Capabilities that an application asks for by what it builds. */
export type RefusableCapability =
  | 'rpc'
  | 'notifications'
  | 'rpcFanout'
  | 'rpcCallMonitoring'
  | 'rpcAtLeastOnce'
  | 'requeue'
  | 'deadLetters'
  | 'rpcLateAcknowledgement'
  | 'pools'
  | 'startPositions'

/** What to do without each of them. */
const REFUSALS: Readonly<Record<RefusableCapability, (driver: string) => string>> = {
  rpc: (driver: string) =>
    `${driver} is notify-only: set [DEFAULT] transport_url to rabbit:// or amqp:// and keep ${driver} in [oslo_messaging_notifications]`,
  notifications: (driver: string) =>
    `${driver} carries no notifications: set [oslo_messaging_notifications] transport_url to rabbit:// or kafka://`,
  rpcFanout: (driver: string) =>
    `${driver} has no fanout: leave fanout out of the target and address each server by name`,
  rpcCallMonitoring: (driver: string) =>
    `${driver} does not monitor calls: leave callMonitorTimeoutMs out and bound the call with timeoutMs`,
  rpcAtLeastOnce: (driver: string) =>
    `${driver} cannot tell that no queue takes a request: leave transportOptions.atLeastOnce out`,
  requeue: (driver: string) =>
    `${driver} does not deliver a notification again: leave allowRequeue out and retry inside the endpoint`,
  deadLetters: (driver: string) =>
    `${driver} keeps no dead letters: choose another of discard, requeue, stop and pause in onFailure.then or [oslo_messaging_nodejs] notification_failure_action`,
  rpcLateAcknowledgement: (driver: string) =>
    `${driver} acknowledges requests before they are handled: leave acknowledge: 'after' and [oslo_messaging_nodejs] rpc_acknowledge out`,
  startPositions: (driver: string) =>
    `${driver} has no positions to begin at: leave startFrom out; a listener gets what is sent while its queue exists`,
  pools: (driver: string) => `${driver} has no pools of listeners: leave pool out and give each group its own topic`,
}

/** Throws UnsupportedCapability, naming the capability and the remedy, unless the driver declares it. */
export function requireCapability(
  driver: { readonly name: string; readonly capabilities: DriverCapabilities },
  capability: RefusableCapability,
): void {
  if (driver.capabilities[capability]) return
  throw new UnsupportedCapability(capability, REFUSALS[capability](driver.name))
}
