import rhea from 'rhea'
import type { Connection, Message } from 'rhea'
import { until } from '../load/until.ts'

/** How a program that is none of ours reaches a broker: rhea alone, past the proxies. */
export interface Outside {
  /** Of all nodes; whichever answers is used. */
  readonly ports: readonly number[]
  readonly username: string
  readonly password: string
}

const PATIENCE_MS = 60_000
const QUIET_MS = 2_000
const ANSWER_MS = 10_000

/** Takes everything out of an address. Resolves to the bodies, in order, once nothing has come for two seconds. */
export async function drainAddress(outside: Outside, address: string): Promise<readonly unknown[]> {
  return await withConnection(outside, async (connection, lost) => {
    const bodies: unknown[] = []
    await new Promise<void>((resolve, reject) => {
      lost(reject)
      const receiver = connection.open_receiver({ source: { address, capabilities: ['queue'] }, credit_window: 500 })
      let timer: NodeJS.Timeout | undefined
      receiver.once('receiver_open', () => (timer = setTimeout(resolve, QUIET_MS)))
      receiver.on('message', ({ message }) => {
        clearTimeout(timer)
        timer = setTimeout(resolve, QUIET_MS)
        bodies.push(message?.body)
      })
      receiver.once('receiver_error', () => reject(new Error(`${address}: ${JSON.stringify(receiver.error)}`)))
    })
    return bodies
  })
}

/** Has Artemis do something with an address: `block`, `unblock`. Rejects when it refuses. */
export async function manageAddress(outside: Outside, address: string, operation: string): Promise<void> {
  await withConnection(outside, async (connection, lost) => {
    await new Promise<void>((resolve, reject) => {
      lost(reject)
      setTimeout(() => reject(new Error(`no answer to ${operation} of ${address}`)), ANSWER_MS).unref()
      const receiver = connection.open_receiver({ source: { address: '', dynamic: true } })
      receiver.once('message', ({ message }) => {
        const { application_properties: facts, body } = message as Message
        if (facts?.['_AMQ_OperationSucceeded'] === true) resolve()
        else reject(new Error(`${operation} of ${address}: ${String(body)}`))
      })
      receiver.once('receiver_open', () => {
        const sender = connection.open_sender('activemq.management')
        sender.once('sender_error', () => reject(new Error(JSON.stringify(sender.error))))
        sender.once('sendable', () =>
          sender.send({
            reply_to: receiver.source.address,
            application_properties: { _AMQ_ResourceName: `address.${address}`, _AMQ_OperationName: operation },
            body: '[]',
          }),
        )
      })
    })
  })
}

/** Called with what is to be told of the end of the connection. */
type OnLost = (reject: (error: Error) => void) => void

async function withConnection<T>(
  outside: Outside,
  use: (connection: Connection, lost: OnLost) => Promise<T>,
): Promise<T> {
  const connection = await until(() => firstThatAnswers(outside), 'a node for the outside reader', PATIENCE_MS)
  const tell = (reject: (error: Error) => void): void => {
    for (const event of ['connection_error', 'disconnected'])
      connection.once(event, () => reject(new Error('the outside reader lost its connection')))
  }
  try {
    return await use(connection, tell)
  } finally {
    connection.close()
  }
}

async function firstThatAnswers({ ports, username, password }: Outside): Promise<Connection | undefined> {
  for (const port of ports) {
    const connection = rhea.create_container().connect({
      host: '127.0.0.1',
      port,
      reconnect: false,
      username,
      password,
    })
    const isOpen = await new Promise<boolean>((resolve) => {
      connection.once('connection_open', () => resolve(true))
      // They stay: rhea writes to the console what nobody listens to.
      for (const event of ['connection_error', 'connection_close', 'disconnected', 'error'])
        connection.on(event, () => resolve(false))
    })
    if (isOpen) return connection
  }
  return undefined
}
