import rhea from 'rhea'
import type { Place } from './put.ts'

/** Stores messages under an address as the bytes they are, whatever they say, with rhea alone. Resolves with how many
 *  the peer has accepted, once it has said something of each. */
export async function putBytes(place: Place, address: string, payloads: readonly Buffer[]): Promise<number> {
  const connection = rhea.create_container().connect({ host: '127.0.0.1', reconnect: false, ...place })
  try {
    return await new Promise<number>((resolve, reject) => {
      const sender = connection.open_sender(address)
      let next = 0
      let accepted = 0
      let settled = 0
      sender.on('sendable', () => {
        // Format 0 is that of messages; with it rhea sends bytes as they are.
        for (const payload of payloads.slice(next)) {
          if (!sender.sendable()) return
          next += 1
          sender.send(payload, undefined, 0)
        }
      })
      const onSettled = (): void => {
        settled += 1
        if (settled === payloads.length) resolve(accepted)
      }
      sender.on('accepted', () => (accepted += 1))
      sender.on('settled', onSettled)
      sender.on('sender_error', () => reject(new Error(`refused by ${address}`, { cause: sender.error })))
      connection.on('connection_error', ({ error }) => reject(error))
      connection.on('disconnected', () => reject(new Error('disconnected')))
    })
  } finally {
    connection.close()
  }
}
