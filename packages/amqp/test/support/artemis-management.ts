import rhea from 'rhea'
import type { Connection, Message } from 'rhea'
import type { Place } from './put.ts'

/** Artemis's own management, over AMQP: operations of a resource (`broker`, `address.X`, `queue.X`, `acceptor.X`) and
 *  its attributes. */
export interface Management {
  invoke(resource: string, operation: string, args: readonly unknown[]): Promise<unknown>
  read(resource: string, attribute: string): Promise<unknown>
  close(): Promise<void>
}

const PATIENCE_MS = 10_000

/** Each request has a connection of its own, so that a broker that was restarted in between is met anew. */
export function manage(place: Place): Management {
  const ask = (resource: string, properties: object, body: string): Promise<unknown> =>
    withConnection(place, (connection) => request(connection, resource, properties, body))
  return {
    invoke: (resource, operation, args) => ask(resource, { _AMQ_OperationName: operation }, JSON.stringify(args)),
    read: (resource, attribute) => ask(resource, { _AMQ_Attribute: attribute }, '[]'),
    close: () => Promise.resolve(),
  }
}

async function withConnection<T>(place: Place, use: (connection: Connection) => Promise<T>): Promise<T> {
  const connection = rhea.create_container().connect({ host: '127.0.0.1', reconnect: false, ...place })
  try {
    return await use(connection)
  } finally {
    connection.close()
  }
}

function request(connection: Connection, resource: string, properties: object, body: string): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`no answer about ${resource}`)), PATIENCE_MS)
    const end = (act: () => void): void => {
      clearTimeout(timer)
      act()
    }
    const fail = (what: string): void => end(() => reject(new Error(`${what} while asking for ${resource}`)))
    connection.on('connection_error', () => fail('connection error'))
    connection.on('disconnected', () => fail('disconnected'))
    const sender = connection.open_sender('activemq.management')
    const receiver = connection.open_receiver({ source: { address: '', dynamic: true } })
    for (const link of [sender, receiver])
      for (const event of ['sender_error', 'receiver_error']) link.on(event, () => fail(event))
    receiver.on('message', ({ message }) => end(() => settle(message as Message, resolve, reject)))
    const send = (): void => {
      const replyTo = (receiver.source as { readonly address?: string } | undefined)?.address
      if (replyTo === undefined || !sender.sendable()) return
      sender.removeAllListeners('sendable')
      receiver.removeAllListeners('receiver_open')
      sender.send({ reply_to: replyTo, application_properties: { _AMQ_ResourceName: resource, ...properties }, body })
    }
    sender.on('sendable', send)
    receiver.on('receiver_open', send)
  })
}

function settle(message: Message, resolve: (value: unknown) => void, reject: (error: Error) => void): void {
  // An operation without a result answers null.
  const [value] = (JSON.parse(String(message.body)) ?? []) as unknown[]
  const facts = message.application_properties as Readonly<Record<string, unknown>>
  if (facts['_AMQ_OperationSucceeded'] === true) resolve(value)
  else reject(new Error(String(value)))
}
