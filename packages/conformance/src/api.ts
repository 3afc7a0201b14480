import {
  createDriverRegistry,
  getNotificationListener,
  getNotificationTransport,
  getRpcServer,
  getRpcTransport,
  loadConfig,
  type MessageServer,
  type NotificationArguments,
  type NotificationEndpoint,
  type NotificationTransport,
  type RPCTransport,
  Target,
  type TransportOptions,
} from '@oslo-messaging/core'
import type { DriverDefinition } from '@oslo-messaging/core/driver'
import type { Harness } from './harness.ts'
import { Inbox } from './inbox.ts'

const SCHEME = 'conformance'

/** The driver under test as applications meet it: found by scheme in a registry. */
function registryOf(harness: Harness, vhost: string | undefined): NonNullable<TransportOptions['registry']> {
  const definition: DriverDefinition = {
    name: SCHEME,
    schemes: [SCHEME],
    capabilities: harness.capabilities,
    open: () =>
      harness.options.createDriver({
        signal: AbortSignal.timeout(harness.patienceMs),
        ...(vhost === undefined ? {} : { vhost }),
      }),
  }
  return createDriverRegistry({ drivers: [definition] })
}

async function optionsOf(harness: Harness, vhost?: string) {
  const conf = await loadConfig({
    overrides: { DEFAULT: { rpc_response_timeout: Math.ceil(harness.patienceMs / 1000) } },
  })
  return { conf, options: { url: `${SCHEME}://`, registry: registryOf(harness, vhost) } }
}

/** A transport for RPC over the driver under test, closed after the case. */
export async function openRpcTransport(harness: Harness, vhost?: string): Promise<RPCTransport> {
  const { conf, options } = await optionsOf(harness, vhost)
  const transport = await getRpcTransport(conf, options)
  harness.afterwards(() => transport.close({ timeoutMs: harness.patienceMs / 2 }))
  return transport
}

/** A transport for notifications over the driver under test, closed after the case. */
export async function openNotificationTransport(harness: Harness, vhost?: string): Promise<NotificationTransport> {
  const { conf, options } = await optionsOf(harness, vhost)
  const transport = await getNotificationTransport(conf, options)
  harness.afterwards(() => transport.close({ timeoutMs: harness.patienceMs / 2 }))
  return transport
}

/** Starts it, and stops it after the case. */
export async function start<Server extends MessageServer>(harness: Harness, server: Server): Promise<Server> {
  await server.start({ timeoutMs: harness.patienceMs })
  harness.afterwards(async () => {
    await server.stop()
    await server.wait({ timeoutMs: harness.patienceMs / 2 })
  })
  return server
}

/** The endpoint of the functional tests: a number and a text that calls change. */
export class StateEndpoint {
  number = 0
  text = ''
  /** Every number that was added or taken away, in order. */
  readonly history: number[] = []

  add(_context: object, { n }: { readonly n: number }): number {
    this.history.push(n)
    this.number += n
    return this.number
  }

  subtract(_context: object, { n }: { readonly n: number }): number {
    if (n > this.number) throw new RangeError(`cannot take ${n} from ${this.number}`)
    this.history.push(-n)
    this.number -= n
    return this.number
  }

  append(_context: object, { text }: { readonly text: string }): string {
    this.text += text
    return this.text
  }
}

/** Three servers of one topic, each with an endpoint of its own. */
export async function startGroup(
  harness: Harness,
  transport: RPCTransport,
  fields: { readonly topic: string; readonly exchange?: string },
): Promise<readonly StateEndpoint[]> {
  const endpoints = [new StateEndpoint(), new StateEndpoint(), new StateEndpoint()]
  for (const [index, endpoint] of endpoints.entries())
    await start(harness, getRpcServer(transport, new Target({ ...fields, server: `server-${index}` }), [endpoint]))
  return endpoints
}

/** One notification as an endpoint got it. */
export interface Received {
  readonly priority: string
  readonly publisherId: string | null
  readonly eventType: string | null
  readonly payload: unknown
}

/** A listener of all priorities that collects. */
export async function startCollector(
  harness: Harness,
  transport: NotificationTransport,
  topics: readonly string[],
): Promise<Inbox<Received>> {
  const inbox = new Inbox<Received>(harness.patienceMs)
  const collect =
    (priority: string) =>
    (...[, publisherId, eventType, payload]: NotificationArguments): void =>
      inbox.onMessage({ priority, publisherId, eventType, payload })
  const endpoint: NotificationEndpoint = {
    audit: collect('audit'),
    debug: collect('debug'),
    info: collect('info'),
    warn: collect('warn'),
    error: collect('error'),
    critical: collect('critical'),
    sample: collect('sample'),
  }
  const targets = topics.map((topic) => new Target({ topic }))
  await start(harness, getNotificationListener(transport, targets, [endpoint]))
  return inbox
}
