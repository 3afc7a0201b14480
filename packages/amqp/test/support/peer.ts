import { randomUUID } from 'node:crypto'
import type { AddressInfo, Server, Socket } from 'node:net'
import rhea from 'rhea'
import type { Connection, Delivery, EventContext, Message, Receiver, Sender } from 'rhea'

/** A small AMQP 1.0 broker in this process, so that the driver's unit tests meet real frames. Addresses that begin with
 *  `broadcast.` or contain `/multicast/` reach everybody; all others are queues whose consumers share. What is released
 *  goes back to the front of its queue. */
export interface Peer {
  readonly port: number
  /** Messages as they arrived, oldest first. */
  readonly received: readonly { readonly address: string; readonly message: Message; readonly settled: boolean }[]
  /** Messages of a queue nobody has taken. */
  depth(address: string): number
  /** Resets every connection. */
  reset(): void
  /** Detaches every link of the address with a condition. */
  detach(address: string, condition: string): void
  /** Resolves to the number of deliveries from addresses of this prefix that clients have accepted, once there are so
   *  many. */
  acceptedBy(prefix: string, count: number): Promise<number>
  /** What to answer to messages of an address, once for each entry, before they are accepted as usual. */
  readonly outcomes: Map<string, ('release' | 'reject' | 'modify' | 'modify-failed' | 'ignore')[]>
  /** Gives credit to the senders of an address; those of addresses that contain `starved` get none by themselves. */
  credit(address: string, count: number): void
  /** Links clients have attached to send on, by address. */
  readonly senders: readonly string[]
  /** Receivers attached to a queue. */
  consumers(address: string): number
  /** Sends receivers of the address so many messages more than they have given credit for. */
  overrun(address: string, count: number): void
  /** Links and sessions this peer has ended whose end the client has answered. */
  readonly answeredEnds: number
  /** Ends every session that a receiver of the address is in. */
  endSession(address: string, condition: string): void
  /** Closes every connection with a condition. */
  closeAll(condition: string): void
  close(): Promise<void>
}

interface Stored {
  readonly message: Message
  /** On `performance.now()`; what is older is dropped instead of delivered. */
  readonly expiresAt: number
  /** Its place in the queue, which it gets back when it is handed back. */
  readonly place: number
}

/** Puts what was handed back where it had been. */
function putBack(queue: Queue, stored: Stored): void {
  const at = queue.messages.findIndex(({ place }) => place > stored.place)
  queue.messages.splice(at < 0 ? queue.messages.length : at, 0, stored)
}

interface Queue {
  readonly messages: Stored[]
  readonly consumers: Sender[]
  next: number
  /** It has sent a message in this turn. */
  isPumping: boolean
}

const CREDIT = 1000

const targetOf = (receiver: Receiver): string => String((receiver.target as { readonly address?: string }).address)

const isTopic = (address: string): boolean => address.startsWith('broadcast.') || address.includes('/multicast/')

export interface PeerOptions {
  readonly product?: string
  /** Users and passwords for PLAIN; ANONYMOUS is offered beside it. Default: everybody comes in. */
  readonly users?: Readonly<Record<string, string>>
  /** Offer PLAIN alone. */
  readonly plainOnly?: boolean
  /** Silence after which it closes a connection, as it announces; it closes after twice as long. */
  readonly idleTimeoutMs?: number
}

export async function startPeer(options: PeerOptions = {}): Promise<Peer> {
  const container = rhea.create_container({
    id: 'peer',
    autoaccept: false,
    autosettle: true,
    receiver_options: { credit_window: 0 },
  })
  const { users } = options
  if (users !== undefined) {
    if (options.plainOnly !== true) container.sasl_server_mechanisms.enable_anonymous()
    container.sasl_server_mechanisms.enable_plain((user: string, password: string) => users[user] === password)
  }
  const queues = new Map<string, Queue>()
  const topics = new Map<string, Set<Sender>>()
  const received: { address: string; message: Message; settled: boolean }[] = []
  const outcomes: Peer['outcomes'] = new Map()
  const accepted: string[] = []
  const receivers = new Set<Receiver>()
  const connections = new Set<Connection>()
  const addresses = new WeakMap<object, string>()
  const lookers = new Set<() => void>()
  const sockets = new Set<Socket>()
  const inFlight = new Map<Delivery, { readonly queue: Queue; readonly stored: Stored }>()

  let places = 0
  const queueOf = (address: string): Queue => {
    const queue = queues.get(address) ?? { messages: [], consumers: [], next: 0, isPumping: false }
    queues.set(address, queue)
    return queue
  }
  const pump = (queue: Queue): void => {
    if (queue.isPumping) return
    for (let tried = 0; queue.messages.length > 0 && tried < queue.consumers.length;) {
      const consumer = queue.consumers[queue.next % queue.consumers.length]
      queue.next += 1
      // Credit is taken off when the frame is written: one message a turn keeps to it.
      if (consumer === undefined || !consumer.sendable() || !consumer.is_open()) {
        tried += 1
        continue
      }
      while ((queue.messages[0]?.expiresAt ?? Infinity) <= performance.now()) queue.messages.shift()
      const stored = queue.messages.shift()
      if (stored === undefined) return
      inFlight.set(consumer.send(stored.message), { queue, stored })
      queue.isPumping = true
      setImmediate(() => {
        queue.isPumping = false
        pump(queue)
      })
      return
    }
  }
  const route = (address: string, message: Message): void => {
    if (isTopic(address)) for (const consumer of topics.get(address) ?? []) consumer.send(message)
    else {
      const queue = queueOf(address)
      places += 1
      queue.messages.push({ message, expiresAt: performance.now() + (message.ttl ?? Infinity), place: places })
      pump(queue)
    }
  }

  container.on('connection_open', ({ connection }: EventContext) => {
    const { socket } = connection as unknown as { readonly socket: Socket }
    connections.add(connection)
    // rhea hears nothing of a socket that is reset from here.
    socket.on('close', () =>
      connection.each_sender(
        (sender: Sender) => gone(sender),
        () => true,
      ),
    )
  })
  container.on('sender_open', ({ sender }: EventContext) => {
    if (sender === undefined) return
    const source = sender.source as { readonly address?: string; readonly dynamic?: boolean }
    const address = source.dynamic ? `dynamic.${randomUUID()}` : String(source.address)
    if (address.startsWith('refused.')) {
      sender.close({ condition: 'amqp:not-found', description: 'no such node' })
      return
    }
    sender.set_source({ address, dynamic: source.dynamic === true })
    addresses.set(sender, address)
    if (isTopic(address)) {
      const members = topics.get(address) ?? new Set<Sender>()
      topics.set(address, members.add(sender))
      return
    }
    queueOf(address).consumers.push(sender)
  })
  const gone = (sender: Sender): void => {
    for (const members of topics.values()) members.delete(sender)
    for (const queue of queues.values()) {
      const index = queue.consumers.indexOf(sender)
      if (index < 0) continue
      queue.consumers.splice(index, 1)
      for (const [delivery, { stored }] of inFlight) {
        if (delivery.link !== sender) continue
        inFlight.delete(delivery)
        putBack(queue, stored)
      }
      pump(queue)
    }
  }
  let answeredEnds = 0
  container.on('sender_close', ({ sender }: EventContext) => {
    if (sender?.is_itself_closed()) answeredEnds += 1
    // Outcomes that came before it are told a tick later.
    if (sender !== undefined) setImmediate(() => gone(sender))
  })
  container.on('session_close', ({ session }: EventContext) => {
    if (session?.is_closed()) answeredEnds += 1
    session?.each_sender(
      (sender: Sender) => setImmediate(() => gone(sender)),
      () => true,
    )
  })
  container.on('sendable', ({ sender }: EventContext) => {
    if (sender === undefined) return
    for (const queue of queues.values()) if (queue.consumers.includes(sender)) pump(queue)
  })
  container.on('receiver_open', ({ receiver }: EventContext) => {
    if (receiver === undefined) return
    const target = receiver.target as { readonly address?: string }
    if (target.address?.startsWith('refused.')) {
      receiver.close({ condition: 'amqp:not-found', description: 'no such node' })
      return
    }
    receiver.set_target({ address: String(target.address) })
    receivers.add(receiver)
    if (!String(target.address).includes('starved')) receiver.add_credit(CREDIT)
  })
  container.on('receiver_close', ({ receiver }: EventContext) => {
    if (receiver !== undefined) receivers.delete(receiver)
  })
  container.on('message', ({ receiver, message, delivery }: EventContext) => {
    if (receiver === undefined || message === undefined || delivery === undefined) return
    const address = String((receiver.target as { readonly address?: string }).address)
    if (!address.includes('starved')) receiver.add_credit(1)
    received.push({ address, message, settled: delivery.remote_settled })
    const outcome = outcomes.get(address)?.shift()
    if (outcome === 'ignore') return
    if (outcome === 'modify') delivery.modified({ delivery_failed: false, undeliverable_here: false })
    else if (outcome === 'release') delivery.release()
    else if (outcome === 'reject') delivery.reject({ condition: 'amqp:internal-error', description: 'refused' })
    else if (outcome === 'modify-failed') delivery.modified({ delivery_failed: true, undeliverable_here: false })
    else {
      delivery.accept()
      route(address, message)
    }
  })
  for (const event of ['released', 'modified'])
    container.on(event, ({ delivery }: EventContext) => {
      const sent = delivery === undefined ? undefined : inFlight.get(delivery)
      if (delivery === undefined || sent === undefined) return
      inFlight.delete(delivery)
      if ((delivery.remote_state as { readonly undeliverable_here?: boolean } | undefined)?.undeliverable_here) return
      const { message } = sent.stored
      const deliveryCount = (message.delivery_count ?? 0) + 1
      putBack(sent.queue, { ...sent.stored, message: { ...message, delivery_count: deliveryCount } })
      pump(sent.queue)
    })
  for (const event of ['accepted', 'rejected'])
    container.on(event, ({ delivery }: EventContext) => {
      if (delivery === undefined) return
      inFlight.delete(delivery)
      if (event !== 'accepted') return
      accepted.push(addresses.get(delivery.link) ?? '')
      for (const look of lookers) look()
    })
  for (const event of [
    'disconnected',
    'connection_error',
    'connection_close',
    'session_error',
    'sender_error',
    'receiver_error',
    'error',
  ])
    container.on(event, () => {})

  const server: Server = container.listen({
    host: '127.0.0.1',
    port: 0,
    session_buffer_size: 65_536,
    ...(options.idleTimeoutMs === undefined ? {} : { idle_time_out: options.idleTimeoutMs }),
    ...(options.product === undefined ? {} : { properties: { product: options.product } }),
  })
  server.on('connection', (socket) => {
    // Otherwise the second frame of each answer waits 40 ms for an acknowledgement.
    socket.setNoDelay()
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
  })
  await new Promise<void>((resolve, reject) => server.once('listening', resolve).once('error', reject))
  return {
    port: (server.address() as AddressInfo).port,
    received,
    outcomes,
    consumers: (address) => queues.get(address)?.consumers.length ?? 0,
    depth: (address) => queues.get(address)?.messages.length ?? 0,
    acceptedBy: (prefix, count) =>
      new Promise((resolve) => {
        const look = (): void => {
          const found = accepted.filter((address) => address.startsWith(prefix)).length
          if (found < count) return
          lookers.delete(look)
          resolve(found)
        }
        lookers.add(look)
        look()
      }),
    credit(address, count) {
      for (const receiver of receivers) if (targetOf(receiver) === address) receiver.add_credit(count)
    },
    get senders() {
      return [...receivers].map(targetOf)
    },
    overrun(address, count) {
      const queue = queueOf(address)
      for (const consumer of queue.consumers) (consumer as Sender & { credit: number }).credit += count
      pump(queue)
    },
    get answeredEnds() {
      return answeredEnds
    },
    endSession(address, condition) {
      for (const sender of queues.get(address)?.consumers ?? [])
        sender.session.close({ condition, description: 'ended by the test' })
    },
    closeAll(condition) {
      for (const connection of connections)
        if (connection.is_open()) connection.close({ condition, description: 'by the test' })
    },
    reset() {
      for (const socket of sockets) socket.resetAndDestroy()
    },
    detach(address, condition) {
      for (const sender of [...(queues.get(address)?.consumers ?? []), ...(topics.get(address) ?? [])])
        sender.close({ condition, description: 'detached by the test' })
    },
    async close() {
      for (const socket of sockets) socket.destroy()
      await new Promise<void>((resolve) => server.close(() => resolve()))
    },
  }
}
