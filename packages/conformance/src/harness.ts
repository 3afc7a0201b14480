import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import {
  type Deadline,
  type Driver,
  type IncomingNotification,
  type IncomingRequest,
  type Listener,
  type NotificationMessage,
  type RPCReply,
  type SendOptions,
  Target,
} from '@oslo-messaging/core/driver'
import { Inbox } from './inbox.ts'
import { shown } from './messages.ts'
import { Stage } from './stage.ts'

/** A subscription and what it got. */
export interface Subscribed<Message> {
  readonly listener: Listener
  readonly inbox: Inbox<Message>
}

export interface ServeOptions {
  readonly deadline?: Deadline
  readonly prefetch?: number
  readonly acknowledge?: 'before' | 'after'
  /** Called for each request as it comes. Default: nothing, so that the case settles and answers. */
  readonly onRequest?: (request: IncomingRequest) => void
}

export interface SubscribeOptions {
  readonly deadline?: Deadline
  readonly prefetch?: number
  readonly priorities?: readonly string[]
  readonly pool?: string | null
  readonly allowRequeue?: boolean
  /** Called for each notification as it comes. Default: nothing. */
  readonly onNotification?: (notification: IncomingNotification) => void
}

/** What one case works with: a stage, and short forms of what the contract asks for at length. */
export class Harness extends Stage {
  sendOptions(changes: Partial<SendOptions> = {}): SendOptions {
    const deadline = changes.deadline ?? this.deadline()
    const waitForReply = changes.waitForReply ?? true
    return {
      waitForReply,
      deadline,
      expiresInMs: waitForReply ? deadline.timeoutMs : null,
      callMonitorTimeoutMs: null,
      retries: null,
      atLeastOnce: false,
      ...changes,
    }
  }

  /** Calls and gives the reply. The promise may be left behind when the case fails elsewhere. */
  call(
    driver: Driver,
    target: Target,
    method: string,
    args: Readonly<Record<string, unknown>> = {},
    changes: Partial<SendOptions> = {},
  ): Promise<RPCReply> {
    const call = this.#call(driver, target, method, args, changes)
    return this.inBackground(this.noted(`${this.nameOf(driver)}: call ${method}`, call))
  }

  async #call(
    driver: Driver,
    target: Target,
    method: string,
    args: Readonly<Record<string, unknown>>,
    changes: Partial<SendOptions>,
  ): Promise<RPCReply> {
    const reply = await driver.send(target, { context: {}, message: { method, args } }, this.sendOptions(changes))
    assert.ok(reply !== undefined, 'send with waitForReply must resolve with the reply')
    return reply
  }

  async cast(
    driver: Driver,
    target: Target,
    method: string,
    args: Readonly<Record<string, unknown>> = {},
    changes: Partial<SendOptions> = {},
  ): Promise<void> {
    const options = this.sendOptions({ waitForReply: false, ...changes })
    const sent = driver.send(target, { context: {}, message: { method, args } }, options)
    const outcome = await this.noted(`${this.nameOf(driver)}: cast ${method}`, sent)
    assert.equal(outcome, undefined, 'send without waitForReply must resolve with undefined')
  }

  async serve(driver: Driver, target: Target, options: ServeOptions = {}): Promise<Subscribed<IncomingRequest>> {
    const { deadline = this.deadline(), prefetch = 100, acknowledge, onRequest } = options
    const name = `${this.nameOf(driver)}: server ${target.server ?? ''}`
    const inbox = new Inbox<IncomingRequest>(this.patienceMs, (request) => {
      this.note(`${name} got ${String(request.message['method'])}${request.redelivered === true ? ' again' : ''}`)
      onRequest?.(request)
    })
    const listening = driver.listen(target, {
      deadline,
      prefetch,
      ...(acknowledge === undefined ? {} : { acknowledge }),
      onMessage: inbox.onMessage,
    })
    const listener = await this.noted(`${name} listens`, listening)
    this.#watch(listener)
    return { listener, inbox }
  }

  // --- notifications ---------------------------------------------------------------------------------------------

  async notify(
    driver: Driver,
    target: Target,
    priority: string,
    payload: unknown,
    changes: {
      readonly version?: '1.0' | '2.0'
      readonly eventType?: string
      readonly context?: Readonly<Record<string, unknown>>
      readonly publisherId?: string
      readonly headers?: Readonly<Record<string, string>>
      readonly orderingKey?: string
      readonly deadline?: Deadline
      readonly retries?: number
    } = {},
  ): Promise<NotificationMessage> {
    const message: NotificationMessage = {
      message_id: randomUUID(),
      publisher_id: changes.publisherId ?? 'conformance',
      event_type: changes.eventType ?? 'conformance.event',
      priority: priority.toUpperCase(),
      payload,
      timestamp: '2026-01-02 03:04:05.000006',
    }
    const sent = driver.sendNotification(
      target.with({ topic: `${target.topic}.${priority}` }),
      {
        context: changes.context ?? {},
        message,
        ...(changes.headers && { headers: changes.headers }),
        ...(changes.orderingKey !== undefined && { orderingKey: changes.orderingKey }),
      },
      {
        version: changes.version ?? '2.0',
        deadline: changes.deadline ?? this.deadline(),
        retries: changes.retries ?? null,
      },
    )
    await this.noted(`${this.nameOf(driver)}: notify ${shown(payload)}`, sent)
    return message
  }

  async subscribe(
    driver: Driver,
    targets: Target | readonly Target[],
    options: SubscribeOptions = {},
  ): Promise<Subscribed<IncomingNotification>> {
    const { prefetch = 100, priorities = ['info'], pool = null, allowRequeue = false, onNotification } = options
    const { deadline = this.deadline() } = options
    const name = `${this.nameOf(driver)}: listener`
    const inbox = new Inbox<IncomingNotification>(this.patienceMs, (message) => {
      this.note(`${name} got ${shown(message.message['payload'])}${message.redelivered === true ? ' again' : ''}`)
      onNotification?.(message)
    })
    const sources = (targets instanceof Target ? [targets] : targets).flatMap((target) =>
      priorities.map((priority) => ({ target, priority })),
    )
    const listening = driver.listenForNotifications(sources, {
      deadline,
      prefetch,
      pool,
      allowRequeue,
      onMessage: inbox.onMessage,
    })
    const listener = await this.noted(`${name} listens`, listening)
    this.#watch(listener)
    return { listener, inbox }
  }

  #watch(listener: Listener): void {
    // A loss for good fails the case where it looks; here it must only not count as unhandled.
    listener.closed.catch(() => undefined)
    this.afterwards(() => listener.close())
  }
}
