import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import rhea from 'rhea'
import type { Connection, Delivery, EventContext, Message, Sender } from 'rhea'

// What a good programmer writes by hand with rhea when the peers are oslo.messaging services: the same messages,
// addresses, links, credit, outcomes and expiry as the driver (routable addresses), without its recovery, limits,
// health and errors.

const REPLY_CREDIT = 200
const SERVER_CREDIT = 100
const PREFIX = 'openstack.org/om/rpc'

const anycast = (topic: string): string => `${PREFIX}/anycast/openstack/${topic}`
const unicast = (topic: string, server: string): string => `${PREFIX}/unicast/openstack/${topic}/${server}`
const multicast = (topic: string): string => `${PREFIX}/multicast/openstack/${topic}`

async function connect(url: string): Promise<Connection> {
  const { hostname, port, username, password } = new URL(url.replace(/^amqp:/, 'http:'))
  const options = { host: hostname, port: Number(port), username, password, reconnect: false, tcp_no_delay: true }
  const connection = rhea.create_container().connect(options)
  await once(connection, 'connection_open')
  return connection
}

async function close(connection: Connection): Promise<void> {
  const closed = once(connection, 'connection_close')
  connection.close()
  await closed
}

export interface HandWrittenClient {
  call(method: string, args: object): Promise<unknown>
  cast(method: string, args: object): void
  close(): Promise<void>
}

interface PendingCall {
  readonly resolve: (result: unknown) => void
  readonly reject: (error: Error) => void
  readonly timer: NodeJS.Timeout
}

export async function createHandWrittenClient(
  url: string,
  topic: string,
  timeoutMs: number,
): Promise<HandWrittenClient> {
  const connection = await connect(url)
  const receiver = connection.create_session()
  receiver.open()
  const replies = receiver.open_receiver({ source: { dynamic: true }, credit_window: REPLY_CREDIT })
  await once(replies, 'receiver_open')
  const replyTo = String((replies.source as { address?: string }).address)
  const to = anycast(topic)
  const session = connection.create_session()
  session.open()
  const sender = session.open_sender({ target: { address: to } })
  await once(sender, 'sendable')

  const pending = new Map<string, PendingCall>()
  const unsettled = new Map<Delivery, string>()
  const finish = (id: string): PendingCall | undefined => {
    const call = pending.get(id)
    if (call === undefined) return undefined
    pending.delete(id)
    clearTimeout(call.timer)
    return call
  }
  replies.on('message', ({ message }: EventContext) => {
    const call = finish(String(message?.correlation_id))
    const reply = JSON.parse(String(message?.body)) as { response?: unknown; failure?: string }
    if (reply.failure === undefined) call?.resolve(reply.response ?? null)
    else call?.reject(new Error(reply.failure))
  })
  sender.on('accepted', ({ delivery }: EventContext) => unsettled.delete(delivery as Delivery))
  for (const outcome of ['rejected', 'released', 'modified'])
    sender.on(outcome, ({ delivery }: EventContext) => {
      const id = unsettled.get(delivery as Delivery)
      unsettled.delete(delivery as Delivery)
      if (id !== undefined) finish(id)?.reject(new Error(`The request was ${outcome}`))
    })

  return {
    async call(method, args) {
      const id = randomUUID().replaceAll('-', '')
      const body = JSON.stringify({ request: { method, args }, context: {} })
      return await new Promise<unknown>((resolve, reject) => {
        const timer = setTimeout(() => {
          pending.delete(id)
          reject(new Error(`No reply within ${timeoutMs} ms`))
        }, timeoutMs)
        pending.set(id, { resolve, reject, timer })
        unsettled.set(sender.send({ to, message_id: id, reply_to: replyTo, ttl: timeoutMs, body }), id)
      })
    },
    cast(method, args) {
      const delivery = sender.send({ to, body: JSON.stringify({ request: { method, args }, context: {} }) })
      ;(delivery as { settled: boolean }).settled = true
    },
    close: () => close(connection),
  }
}

export interface HandWrittenServer {
  close(): Promise<void>
}

export async function createHandWrittenServer(
  url: string,
  topic: string,
  server: string,
  methods: Readonly<Record<string, (args: unknown) => Promise<unknown>>>,
): Promise<HandWrittenServer> {
  const connection = await connect(url)
  const senders = new Map<string, Sender>()
  const replying = connection.create_session()
  replying.open()
  const senderFor = (address: string): Sender => {
    const known = senders.get(address)
    if (known !== undefined) return known
    // Replies are sent settled.
    const sender = replying.open_sender({ target: { address }, snd_settle_mode: 1 })
    senders.set(address, sender)
    return sender
  }
  const handle = async (message: Message): Promise<void> => {
    const { request } = JSON.parse(String(message.body)) as { request: { method: string; args: unknown } }
    const method = methods[request.method]
    const answer =
      method === undefined
        ? { failure: JSON.stringify({ class: 'NoSuchMethod' }) }
        : { response: (await method(request.args)) ?? null }
    const { reply_to: replyTo, message_id: id } = message
    if (typeof replyTo !== 'string') return
    senderFor(replyTo).send({ to: replyTo, correlation_id: id as string, body: JSON.stringify(answer) })
  }
  const receiving = connection.create_session()
  receiving.open()
  for (const address of [unicast(topic, server), multicast(topic), anycast(topic)]) {
    const receiver = receiving.open_receiver({ source: { address }, credit_window: SERVER_CREDIT, autoaccept: false })
    receiver.on('message', ({ message, delivery }: EventContext) => {
      // Before it is handled, as Python's servers do: at most once.
      delivery?.accept()
      if (message !== undefined) handle(message).catch((error: unknown) => console.error(error))
    })
    await once(receiver, 'receiver_open')
  }
  return { close: () => close(connection) }
}
