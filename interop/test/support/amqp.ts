import { LAST_PYTHON_WITH_AMQP10 } from '@oslo-messaging/brokers'
import type { ConfigOverrides } from '@oslo-messaging/core'

import { Peer } from './peer.ts'

/** What `addressing_mode` may say; both sides of a test say the same. */
type Mode = 'legacy' | 'routable' | 'dynamic'

/** Our side's configuration. */
export const overridesOf = (mode: Mode): ConfigOverrides => ({ oslo_messaging_amqp: { addressing_mode: mode } })

/** A peer of the last release that speaks AMQP 1.0. */
export function startPeer(script: string, url: string, mode: Mode, args: readonly string[] = []): Promise<Peer> {
  const settings = ['--set', `oslo_messaging_amqp.addressing_mode=${mode}`]
  return Peer.start(script, url, [...settings, ...args], LAST_PYTHON_WITH_AMQP10)
}
