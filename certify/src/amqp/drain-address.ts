import rhea from 'rhea'

const QUIET_MS = 2_000
const USER = { username: 'app', password: 'secret' } as const

/** Takes everything out of an address with rhea alone. Resolves to the bodies once nothing has come for two seconds. */
export async function drainAddress(place: { readonly port: number }, address: string): Promise<readonly unknown[]> {
  const connection = rhea.create_container().connect({ host: '127.0.0.1', reconnect: false, ...USER, ...place })
  const bodies: unknown[] = []
  try {
    await new Promise<void>((resolve, reject) => {
      const receiver = connection.open_receiver({ source: { address, capabilities: ['queue'] }, credit_window: 500 })
      let timer: NodeJS.Timeout | undefined
      receiver.once('receiver_open', () => (timer = setTimeout(resolve, QUIET_MS)))
      receiver.on('message', ({ message }) => {
        clearTimeout(timer)
        timer = setTimeout(resolve, QUIET_MS)
        bodies.push(message?.body)
      })
      receiver.once('receiver_error', () => reject(new Error(`${address}: ${JSON.stringify(receiver.error)}`)))
      connection.once('connection_error', () => reject(new Error(JSON.stringify(connection.error))))
      connection.once('disconnected', () => reject(new Error('the outside reader lost its connection')))
    })
  } finally {
    connection.close()
  }
  return bodies
}
