import { ServiceBroker, type Context } from 'moleculer'

// Moleculer over AMQP with what makes it comparable: noDelay, persistent messages, a prefetch like the others' (its own
// is one message). Requests are published without a confirm; it has none. A server acknowledges after its handler.

/** The node of the server picks the requests of its own queue: Moleculer's balancer, on as usual, has no other to
 *  choose. */
function createBroker(url: string, namespace: string, nodeID: string): ServiceBroker {
  const options = {
    url,
    prefetch: 128,
    socketOptions: { noDelay: true },
    messageOptions: { persistent: true },
  }
  return new ServiceBroker({ namespace, nodeID, logger: false, transporter: { type: 'AMQP', options } })
}

export interface MoleculerClient {
  call(action: string, args: object): Promise<unknown>
  close(): Promise<void>
}

export async function createMoleculerClient(url: string, namespace: string): Promise<MoleculerClient> {
  const broker = createBroker(url, namespace, 'client')
  await broker.start()
  await broker.waitForServices('bench', 30_000)
  return {
    call: (action, args) => broker.call<unknown, object>(`bench.${action}`, args),
    close: () => broker.stop(),
  }
}

export async function createMoleculerServer(
  url: string,
  namespace: string,
  methods: Readonly<Record<string, (args: unknown) => Promise<unknown>>>,
): Promise<{ close(): Promise<void> }> {
  const broker = createBroker(url, namespace, 'server')
  const actions = Object.entries(methods).map(
    ([name, method]) => [name, (context: Context) => method(context.params)] as const,
  )
  broker.createService({ name: 'bench', actions: Object.fromEntries(actions) })
  await broker.start()
  return { close: () => broker.stop() }
}
