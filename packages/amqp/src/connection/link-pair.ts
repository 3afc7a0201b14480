import { TransportDriverError } from '@oslo-messaging/core/driver'
import type { Condition } from '../session/performatives.ts'
import type { Delivery, ReceiverLink } from '../session/receiver-link.ts'
import type { SenderLink } from '../session/sender-link.ts'
import type { LinkHost } from './peer-session.ts'

/** What a management node sends is small. */
const MAX_RESPONSE_BYTES = 1024 * 1024
const SND_SETTLE_SETTLED = 1

export interface LinkPairEvents {
  readonly onMessage: (delivery: Delivery) => void
  /** A request may be sent that could not a moment ago. */
  readonly onRoom: () => void
  /** The peer has closed one of them after both were open. */
  readonly onClosed: (error: Condition | undefined) => void
}

/** A sender and a receiver of one name on one node, which is how requests and responses of a management node are told
 *  to belong together. Resolves when both are open, the peer has the credit for responses and takes requests; rejects
 *  with what the peer says when it refuses. */
export function openLinkPair(
  host: LinkHost,
  address: string,
  credit: number,
  events: LinkPairEvents,
): Promise<{ readonly sender: SenderLink; readonly receiver: ReceiverLink }> {
  const options = {
    name: `management-${address}`,
    sndSettleMode: SND_SETTLE_SETTLED,
    source: { address },
    target: { address },
    properties: { paired: true },
  }
  return new Promise((resolve, reject) => {
    let isOpen = false
    const onClosed = (error: Condition | undefined): void => {
      if (isOpen) events.onClosed(error)
      else reject(error ?? new TransportDriverError(`No links to ${address}`, { retryable: true }))
    }
    const open = (): void => {
      if (isOpen || !receiver.isOpen || sender.credit === 0) return
      isOpen = true
      resolve({ sender, receiver })
    }
    const sender = host.attachSender(options, {
      onOpen: open,
      onClosed,
      onRoom: () => (isOpen ? events.onRoom() : open()),
    })
    const receiver = host.attachReceiver(options, MAX_RESPONSE_BYTES, {
      onOpen: () => {
        // A request that gets ahead of the credit for its response ends the session.
        receiver.addCredit(credit)
        open()
      },
      onClosed,
      onMessage: events.onMessage,
      onTooLarge: () => {},
    })
  })
}
