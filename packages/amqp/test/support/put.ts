import rhea from 'rhea'
import type { Message } from 'rhea'

/** How to reach a peer with rhea alone. */
export interface Place {
  readonly port: number
  readonly username?: string
  readonly password?: string
}

/** Stores one message under an address with rhea alone, and resolves when the peer has accepted it. */
export async function put(place: Place, address: string, message: Message): Promise<void> {
  const connection = rhea.create_container().connect({ host: '127.0.0.1', reconnect: false, ...place })
  try {
    await new Promise<void>((resolve, reject) => {
      const sender = connection.open_sender(address)
      sender.once('sendable', () => sender.send(message))
      sender.once('accepted', () => resolve())
      for (const event of ['rejected', 'released', 'sender_error'])
        sender.once(event, () => reject(new Error(`${event} by ${address}`)))
      connection.on('connection_error', ({ error }) => reject(error))
      connection.on('disconnected', () => reject(new Error('disconnected')))
    })
  } finally {
    connection.close()
  }
}
