// A whole service: it knows targets, topics and methods, and no broker.
import {
  getNotificationListener,
  getNotificationTransport,
  getRpcClient,
  getRpcServer,
  getRpcTransport,
  loadConfig,
  type NotificationTransport,
  Notifier,
  type RPCTransport,
  Target,
} from '@oslo-messaging/core'

/** What one configuration came to. */
export interface Row {
  /** Scheme of the bus for calls, and of the one for notifications. */
  readonly rpc: string
  readonly notifications: string
  readonly call: string
  readonly fanout: string
  readonly heard: string
  readonly again: string
}

/** Runs the service on the brokers that a configuration names. */
export async function runService(file: string): Promise<Row> {
  const conf = await loadConfig({ files: [file] })
  const rpc = await getRpcTransport(conf)
  const notifications = await getNotificationTransport(conf)
  try {
    return {
      rpc: rpc.url.scheme,
      notifications: notifications.url.scheme,
      ...(await makeCalls(rpc)),
      ...(await notify(notifications)),
    }
  } finally {
    await Promise.all([rpc.close(), notifications.close()])
  }
}

async function makeCalls(transport: RPCTransport): Promise<Pick<Row, 'call' | 'fanout'>> {
  const refreshed = waitFor(2)
  const servers = ['one', 'two'].map((server) =>
    getRpcServer(transport, new Target({ topic: 'calculator', server }), [
      {
        multiply: (_context: object, { a, b }: { readonly a: number; readonly b: number }) => a * b,
        refresh: () => refreshed.add(server),
      },
    ]),
  )
  for (const server of servers) await server.start()
  const client = getRpcClient(transport, new Target({ topic: 'calculator' }))
  const product = await client.call({}, 'multiply', { a: 6, b: 7 })
  await client.prepare({ fanout: true }).cast({}, 'refresh')
  await refreshed.all
  for (const server of servers) {
    await server.stop()
    await server.wait()
  }
  return { call: `6 x 7 = ${String(product)}`, fanout: `${refreshed.size} of 2 servers` }
}

async function notify(transport: NotificationTransport): Promise<Pick<Row, 'heard' | 'again'>> {
  const heard = waitFor(3)
  let attempts = 0
  const endpoint = {
    info: (...[, , , payload]: readonly unknown[]): void => {
      const { n } = payload as { readonly n: number }
      if (n === 2) {
        attempts += 1
        if (attempts === 1) throw new Error('not yet')
      }
      heard.add(String(n))
    },
  }
  const listener = getNotificationListener(transport, [new Target({ topic: 'swap_events' })], [endpoint], {
    onFailure: { attempts: 3, backoff: 50, then: 'discard' },
  })
  await listener.start()
  const notifier = new Notifier(transport, { publisherId: 'swap' })
  for (const n of [1, 2, 3]) await notifier.info({}, 'swap.event', { n })
  await heard.all
  await listener.stop()
  await listener.wait()
  return { heard: `${heard.size} of 3`, again: `${attempts} attempts` }
}

/** Different names, until there are so many. */
function waitFor(count: number) {
  const names = new Set<string>()
  let done = (): void => {}
  const all = new Promise<void>((resolve) => (done = resolve))
  return {
    all,
    add(name: string): void {
      names.add(name)
      if (names.size === count) done()
    },
    get size(): number {
      return names.size
    },
  }
}
