import {
  adoptDeliveryCount,
  type EventContext,
  type Receiver,
  type Sender,
  type Session,
  wrapDeliveryCount,
} from './client.ts'

interface AttachFrame {
  readonly performative: { readonly role: boolean; readonly handle: number }
}
interface LinkInternals {
  name: string
  readonly local: { readonly attach: { name: string } }
  remote: { attach?: unknown }
  on_attach(frame: AttachFrame): void
}
interface PairSession {
  readonly remote: { readonly handles: Record<number, unknown> }
  on_attach(frame: AttachFrame): void
}

/** A sender and a receiver of one name on one node, which is how requests and responses of a management node are told to belong together. rhea keeps links by their name alone:
 *  the receiver is known to it under another, and what the peer attaches is told apart by its role. Resolves when both are open and the peer has the credit for responses. */
export function openLinkPair(
  session: Session,
  address: string,
  credit: number,
  onMessage: (context: EventContext) => void,
): Promise<{ readonly sender: Sender; readonly receiver: Receiver }> {
  const name = `management-${address}`
  const options = { source: { address }, target: { address }, properties: { paired: true }, snd_settle_mode: 1 }
  const sender = session.attach_sender({ ...options, name })
  const receiver = session.attach_receiver({ ...options, name: `${name}#receiver`, credit_window: 0 })
  ;(receiver as Receiver & LinkInternals).local.attach.name = name
  const internals = session as Session & PairSession
  internals.on_attach = (frame) => {
    const link = (frame.performative.role ? sender : receiver) as (Sender | Receiver) & LinkInternals
    internals.remote.handles[frame.performative.handle] = link
    link.on_attach(frame)
    link.remote.attach = frame.performative
  }
  receiver.on('message', (context) => {
    wrapDeliveryCount(receiver)
    onMessage(context)
  })
  return new Promise((resolve, reject) => {
    // A request that gets ahead of the credit for its response ends the session, and rhea writes requests first: they begin a turn later.
    const open = (): void => {
      if (sender.sendable() && receiver.is_open()) setImmediate(() => resolve({ sender, receiver }))
    }
    sender.on('sendable', open)
    receiver.on('receiver_open', () => {
      adoptDeliveryCount(receiver)
      receiver.add_credit(credit)
      open()
    })
    const refused = (): void => reject(sender.error ?? receiver.error ?? new Error(`no links to ${address}`))
    for (const event of ['sender_error', 'sender_close']) sender.on(event, refused)
    for (const event of ['receiver_error', 'receiver_close']) receiver.on(event, refused)
  })
}
