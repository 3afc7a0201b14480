import { readFileSync } from 'node:fs'

import {
  type ConfigOverrides,
  DefaultRPCAccessPolicy,
  ExplicitRPCAccessPolicy,
  getBatchNotificationListener,
  getNotificationListener,
  getRpcClient,
  getRpcServer,
  LegacyRPCAccessPolicy,
  type MessageServer,
  type NotificationTransport,
  Notifier,
  type RPCClient,
  type RPCTransport,
  Target,
} from '@oslo-messaging/core'

import { DemoError, PickyError } from '../test/support/demo-errors.ts'
import { Inbox } from '../test/support/inbox.ts'
import { openBus, openRpc, unique } from '../test/support/ours.ts'
import { EndpointState, OurEndpoint } from './our-endpoint.ts'
import { answerFrom } from './our-answers.ts'
import { ourRecorder } from './our-recorder.ts'
import type {
  CallWish,
  ClientOptions,
  Fields,
  ListenOptions,
  LiveClient,
  LiveListener,
  LiveNotifier,
  LiveServer,
  NotifierOptions,
  SeenBatch,
  SeenNotification,
  SeenRequest,
  ServeOptions,
  Side,
} from './side.ts'

const POLICIES = { default: DefaultRPCAccessPolicy, legacy: LegacyRPCAccessPolicy, explicit: ExplicitRPCAccessPolicy }
const ALLOWED = { demo_errors: { DemoError, PickyError } }
const CORE = new URL('../../packages/core/package.json', import.meta.url)
const { version: VERSION } = JSON.parse(readFileSync(CORE, 'utf8')) as { version: string }

/** This library, in this process. */
export class OurSide implements Side {
  readonly kind = 'ours' as const
  readonly version: string = VERSION
  readonly #url: string
  readonly #overrides: ConfigOverrides
  readonly #transports = new Map<string, Promise<RPCTransport>>()
  readonly #buses = new Map<string, Promise<NotificationTransport>>()

  constructor(url: string, overrides: ConfigOverrides = {}) {
    this.#url = url
    this.#overrides = overrides
  }

  async serve(options: ServeOptions): Promise<LiveServer> {
    const { topic, server, exchange = null, endpoints = [{ namespace: null, version: '1.0' }] } = options
    // One of its own, as a service has: its replies are not in the way of calls.
    const transport = await this.rpc(options.url, 'server')
    const name = unique(server)
    const requests = new Inbox<SeenRequest>()
    const state = new EndpointState(
      name,
      (request) => (options.quiet === true ? undefined : requests.add(request)),
      (topic, ctxt, method, args) =>
        getRpcClient(transport, new Target({ topic }), { timeoutMs: 10_000 }).call(ctxt, method, args),
    )
    const listening = getRpcServer(
      transport,
      new Target({ topic, server, exchange }),
      endpoints.map(({ namespace, version }) => new OurEndpoint(state, namespace, version)),
      { accessPolicy: POLICIES[options.policy ?? 'default'] },
    )
    await listening.start()
    return { name, requests, stop: () => stopped(listening) }
  }

  async client(options: ClientOptions): Promise<LiveClient> {
    const { target, timeoutMs, versionCap = null, allowDemoErrors = false } = options
    const transport = await this.rpc(options.url, allowDemoErrors ? 'allowing' : 'client')
    const client = getRpcClient(transport, new Target(target), { timeoutMs, versionCap })
    return {
      call: (method, args = {}, wish) => answerFrom(() => prepared(client, wish).call(wish?.ctxt ?? {}, method, args)),
      cast: (method, args = {}, wish) => answerFrom(() => prepared(client, wish).cast(wish?.ctxt ?? {}, method, args)),
      canSendVersion: (version, cap) =>
        answerFrom(async () => await Promise.resolve(client.prepare({ versionCap: cap }).canSendVersion(version))),
    }
  }

  async notifier(options: NotifierOptions): Promise<LiveNotifier> {
    const { topics, driver = 'messagingv2', publisherId = null } = options
    const notifier = new Notifier(await this.bus(), { topics, driver, publisherId })
    return {
      notify: async (priority, eventType, payload, { ctxt, publisherId: publisher } = {}) => {
        const own = publisher === undefined ? notifier : notifier.prepare({ publisherId: publisher })
        await own[priority](ctxt === undefined ? {} : redactable(ctxt), eventType, payload)
      },
    }
  }

  async listen(options: ListenOptions): Promise<LiveListener> {
    const { topics, pool = null, allowRequeue = false, batchSize, batchTimeoutMs = null } = options
    const inboxes = { notifications: new Inbox<SeenNotification>(), batches: new Inbox<SeenBatch>() }
    const targets = topics.map((topic) => new Target({ topic }))
    const { single, batched } = ourRecorder(inboxes, options)
    const bus = await this.bus()
    const listener =
      batchSize === undefined
        ? getNotificationListener(bus, targets, [single], { pool, allowRequeue })
        : getBatchNotificationListener(bus, targets, [batched], { pool, allowRequeue, batchSize, batchTimeoutMs })
    await listener.start()
    return { ...inboxes, stop: () => stopped(listener) }
  }

  async refusalOfBadEndpoint(): Promise<string> {
    const { error } = await answerFrom(async () =>
      getRpcServer(await this.rpc(), new Target({ topic: 't', server: 's' }), [{ target: 'not a target' }]),
    )
    return error?.type ?? 'none'
  }

  /** The transport for one use of one URL, opened once. */
  rpc(url: string = this.#url, use = 'client'): Promise<RPCTransport> {
    const key = `${use} ${url}`
    const opened = this.#transports.get(key) ?? openRpc(url, use === 'allowing' ? ALLOWED : {}, this.#overrides)
    this.#transports.set(key, opened)
    return opened
  }

  bus(url: string = this.#url): Promise<NotificationTransport> {
    const opened = this.#buses.get(url) ?? openBus(url, this.#overrides)
    this.#buses.set(url, opened)
    return opened
  }

  async close(): Promise<void> {
    const opened = await Promise.allSettled([...this.#transports.values(), ...this.#buses.values()])
    this.#transports.clear()
    this.#buses.clear()
    for (const each of opened) if (each.status === 'fulfilled') await each.value.close({ timeoutMs: 20_000 })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }
}

async function stopped(server: MessageServer): Promise<void> {
  await server.stop()
  await server.wait({ timeoutMs: 60_000 })
}

/** A context that knows what of it may be stored, as oslo.context's does. */
function redactable(ctxt: Fields): object {
  const { auth_token: _token, ...rest } = ctxt
  return Object.defineProperty({ ...ctxt }, 'redactedCopy', { value: () => rest, enumerable: false })
}

function prepared(client: RPCClient, wish: CallWish = {}): Pick<RPCClient, 'call' | 'cast'> {
  const { target, timeoutMs, monitorMs, retry, versionCap, atLeastOnce } = wish
  return client.prepare({
    ...target,
    ...(timeoutMs === undefined ? {} : { timeoutMs }),
    ...(monitorMs === undefined ? {} : { callMonitorTimeoutMs: monitorMs }),
    ...(retry === undefined ? {} : { retry }),
    ...(versionCap === undefined ? {} : { versionCap }),
    ...(atLeastOnce === undefined ? {} : { transportOptions: { atLeastOnce } }),
  })
}
