import type { Driver, IncomingNotification, Listener, Target } from '@oslo-messaging/core/driver'
import type { Harness } from '../harness.ts'
import { acknowledge } from '../messages.ts'
import type { Inbox } from '../inbox.ts'

/** Two drivers whose connections have carried a notification, which says 'before', so that a fault finds both up. */
export interface ConnectedPair {
  readonly sending: Driver
  readonly listening: Driver
  readonly listener: Listener
  readonly target: Target
  /** What the other one got and acknowledged. */
  readonly inbox: Inbox<IncomingNotification>
}

export async function connectedPair(harness: Harness): Promise<ConnectedPair> {
  const [listening, sending] = [await harness.open(), await harness.open()]
  const target = harness.target()
  const { listener, inbox } = await harness.subscribe(listening, target, { onNotification: acknowledge })
  await harness.notify(sending, target, 'info', 'before')
  await inbox.next('notification')
  return { sending, listening, listener, target, inbox }
}
