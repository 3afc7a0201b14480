import { randomUUID } from 'node:crypto'
import type { AddressInfo, Server, Socket } from 'node:net'
import rhea from 'rhea'
import type { Delivery, EventContext, Message, Receiver, Sender } from 'rhea'

/** What a message router does, as qpid-dispatch was seen to: it keeps nothing, gives senders credit only while somebody
 *  takes messages of the address, hands the receiver's outcome to the sender, and releases what nobody takes. Addresses
 *  that contain `/multicast/` reach everybody. */
export interface Router {
  readonly port: number
  /** Outcomes of unsettled messages as their senders were told them. */
  readonly outcomes: readonly string[]
  /** Detaches every receiver of an address with a condition. */
  detach(address: string, condition: string): void
  /** Receivers of an address. */
  consumers(address: string): number
  /** Gone, with all it knew, and back on its port. */
  restart(): Promise<void>
  close(): Promise<void>
}

const CREDIT = 250
const isMulticast = (address: string): boolean => address.includes('/multicast/')

export async function startRouter(): Promise<Router> {
  const container = rhea.create_container({
    id: 'router',
    autoaccept: false,
    receiver_options: { credit_window: 0 },
    sender_options: { treat_modified_as_released: false },
  })
  const consumers = new Map<string, Sender[]>()
  const producers = new Map<string, Set<Receiver>>()
  const onTheirWay = new Map<Delivery, { readonly from: Delivery; readonly sender: Sender }>()
  const sockets = new Set<Socket>()
  const outcomes: string[] = []

  const tell = (delivery: Delivery, outcome: string, settle: () => void): void => {
    if (delivery.remote_settled) return
    outcomes.push(outcome)
    settle()
  }
  const grant = (receiver: Receiver): void => {
    const { credit } = receiver as Receiver & { readonly credit: number }
    if (credit < CREDIT) receiver.add_credit(CREDIT - credit)
  }
  const addressOf = (terminus: unknown): string => String((terminus as { readonly address?: unknown }).address)
  const targets = new WeakMap<Receiver, string>()

  container.on('sender_open', ({ sender }: EventContext) => {
    if (sender === undefined) return
    const { dynamic } = sender.source as { readonly dynamic?: boolean }
    const address = dynamic === true ? `amqp:/_topo/0/R/temp.${randomUUID()}` : addressOf(sender.source)
    sender.set_source({ address, dynamic: dynamic === true })
    consumers.set(address, [...(consumers.get(address) ?? []), sender])
    for (const receiver of producers.get(address) ?? []) grant(receiver)
  })
  const gone = (sender: Sender): void => {
    for (const [address, all] of consumers)
      consumers.set(
        address,
        all.filter((each) => each !== sender),
      )
    for (const [delivery, { from, sender: owner }] of onTheirWay) {
      if (owner !== sender) continue
      onTheirWay.delete(delivery)
      tell(from, 'modified', () => from.modified({ delivery_failed: true }))
    }
  }
  container.on('sender_close', ({ sender }: EventContext) => {
    if (sender !== undefined) gone(sender)
  })
  container.on('session_close', ({ session }: EventContext) => {
    session?.each_sender(gone, () => true)
    session?.each_receiver(
      (receiver: Receiver) => producers.get(targets.get(receiver) ?? '')?.delete(receiver),
      () => true,
    )
  })
  container.on('connection_open', ({ connection }: EventContext) => {
    const { socket } = connection as unknown as { readonly socket: Socket }
    socket.on('close', () => connection.each_sender(gone, () => true))
  })
  container.on('receiver_open', ({ receiver }: EventContext) => {
    if (receiver === undefined) return
    const address = addressOf(receiver.target)
    receiver.set_target({ address })
    targets.set(receiver, address)
    producers.set(address, (producers.get(address) ?? new Set()).add(receiver))
    if (isMulticast(address) || (consumers.get(address)?.length ?? 0) > 0) grant(receiver)
  })
  container.on('receiver_close', ({ receiver }: EventContext) => {
    if (receiver !== undefined) producers.get(targets.get(receiver) ?? '')?.delete(receiver)
  })
  const forward = (address: string, message: Message, from: Delivery): void => {
    const all = consumers.get(address) ?? []
    if (isMulticast(address)) {
      for (const sender of all) settled(sender.send(message))
      return tell(from, 'accepted', () => from.accept())
    }
    const sender = all.shift()
    if (sender === undefined) return tell(from, 'released', () => from.release())
    // The next one takes the next one.
    all.push(sender)
    const delivery = sender.send(message)
    if (from.remote_settled) settled(delivery)
    else onTheirWay.set(delivery, { from, sender })
  }
  container.on('message', ({ receiver, message, delivery }: EventContext) => {
    if (receiver === undefined || message === undefined || delivery === undefined) return
    const address = targets.get(receiver) ?? ''
    forward(address, message, delivery)
    if (isMulticast(address) || (consumers.get(address)?.length ?? 0) > 0) grant(receiver)
  })
  for (const outcome of ['accepted', 'released', 'rejected', 'modified'] as const)
    container.on(outcome, ({ delivery }: EventContext) => {
      const sent = delivery === undefined ? undefined : onTheirWay.get(delivery)
      if (delivery === undefined || sent === undefined) return
      onTheirWay.delete(delivery)
      const { from } = sent
      tell(from, outcome, () => {
        if (outcome === 'accepted') from.accept()
        else if (outcome === 'released') from.release()
        else if (outcome === 'modified') from.modified({ ...(delivery.remote_state as object) })
        else from.reject({ condition: 'amqp:internal-error', description: 'refused by the receiver' })
      })
    })
  for (const event of ['disconnected', 'connection_error', 'session_error', 'sender_error', 'receiver_error', 'error'])
    container.on(event, () => {})

  const listen = async (port: number): Promise<Server> => {
    const server: Server = container.listen({
      host: '127.0.0.1',
      port,
      session_buffer_size: 65_536,
      properties: { product: 'qpid-dispatch-router', version: '1.19.0' },
    })
    server.on('connection', (socket) => {
      // Otherwise the second frame of each answer waits 40 ms for an acknowledgement.
      socket.setNoDelay()
      sockets.add(socket)
      socket.on('close', () => sockets.delete(socket))
    })
    await new Promise<void>((resolve, reject) => server.once('listening', resolve).once('error', reject))
    return server
  }
  const stop = async (): Promise<void> => {
    for (const socket of sockets) socket.resetAndDestroy()
    for (const known of [consumers, producers, onTheirWay]) known.clear()
    await new Promise<void>((resolve) => server.close(() => resolve()))
  }
  let server = await listen(0)
  const { port } = server.address() as AddressInfo
  return {
    port,
    outcomes,
    detach(address, condition) {
      for (const sender of consumers.get(address) ?? []) sender.close({ condition, description: 'by the test' })
    },
    consumers: (address) => consumers.get(address)?.length ?? 0,
    async restart() {
      await stop()
      server = await listen(port)
    },
    close: stop,
  }
}

const settled = (delivery: Delivery): void => {
  ;(delivery as { settled: boolean }).settled = true
}
