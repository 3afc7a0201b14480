import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

import type { Priority } from '@oslo-messaging/core'
import { decodeJson, encodeJson } from '@oslo-messaging/core/driver'

import { Inbox } from '../test/support/inbox.ts'
import { unique } from '../test/support/ours.ts'
import { answerOf, notificationOf, type Printed, type Reply, wishOf } from './python-answers.ts'
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

/** Loaded machines start a Python interpreter slowly. */
const START_PATIENCE_MS = 60_000
/** A command that is not answered by then is an answer, too. */
const PATIENCE_MS = 90_000
const STOP_PATIENCE_MS = 30_000
const PROGRAM = fileURLToPath(new URL('../peers/side.py', import.meta.url))

export interface PythonSideOptions {
  readonly python: string
  readonly version: string
  readonly url: string
  /** `group.option=value`. */
  readonly settings?: readonly string[]
}

/** The real library in one Python process (peers/side.py), which serves any number of features at the same time. It
 *  stops when its input closes. */
export class PythonSide implements Side {
  readonly kind = 'python' as const
  readonly version: string
  readonly pid: number | undefined
  readonly #child: ChildProcessWithoutNullStreams
  readonly #exited: Promise<void>
  readonly #waiting = new Map<number, { resolve: (reply: Reply) => void; reject: (error: Error) => void }>()
  readonly #requests = new Map<string, Inbox<SeenRequest>>()
  readonly #listeners = new Map<string, { notifications: Inbox<SeenNotification>; batches: Inbox<SeenBatch> }>()
  readonly #signs = new Inbox<string>()
  #errors = ''
  #lastId = 0

  private constructor({ python, version, url, settings = [] }: PythonSideOptions) {
    this.version = version
    const args = ['-u', PROGRAM, '--url', url, ...settings.flatMap((setting) => ['--set', setting])]
    // In a group of its own: its queue manager reads in /proc of the group's first process, and that of this one may
    // have ended.
    const child = spawn(python, args, { detached: true })
    this.#child = child
    this.pid = child.pid
    createInterface({ input: child.stdout }).on('line', (line) => this.#read(line))
    child.stderr.setEncoding('utf8').on('data', (text: string) => (this.#errors += text))
    // A side that has gone closes the pipe; whoever waits for it is told by its exit.
    child.stdin.on('error', () => undefined)
    this.#exited = new Promise((resolve) => {
      child.on('error', (error) => {
        this.#errors += error.message
        resolve()
      })
      child.on('close', () => resolve())
    })
    void this.#exited.then(() => this.#end())
  }

  /** Resolves when the process takes commands. */
  static async start(options: PythonSideOptions): Promise<PythonSide> {
    const side = new PythonSide(options)
    const gone = side.#exited.then(() => Promise.reject(side.#complaint('ended before it was ready')))
    try {
      await Promise.race([side.#signs.atLeast(1, (sign) => sign === 'ready', START_PATIENCE_MS), gone])
      return side
    } catch (error) {
      side.kill()
      throw error
    }
  }

  async serve(options: ServeOptions): Promise<LiveServer> {
    const name = unique(options.server)
    const requests = new Inbox<SeenRequest>()
    this.#requests.set(name, requests)
    await this.do('serve', { ...options, name })
    return { name, requests, stop: async () => void (await this.do('stop', { name })) }
  }

  async client(options: ClientOptions): Promise<LiveClient> {
    const name = unique('client')
    const { target, timeoutMs, versionCap, allowDemoErrors = false, url } = options
    await this.do('client', {
      name,
      target,
      timeout: timeoutMs === undefined ? undefined : timeoutMs / 1000,
      version_cap: versionCap,
      allow: allowDemoErrors ? ['demo_errors'] : [],
      url,
    })
    const send = async (what: 'call' | 'cast', method: string, args: Fields = {}, wish: CallWish = {}) =>
      answerOf(await this.ask(what, { client: name, method, args, ...wishOf(wish) }))
    return {
      call: (method, args, wish) => send('call', method, args, wish),
      cast: (method, args, wish) => send('cast', method, args, wish),
      canSendVersion: async (version, cap) =>
        answerOf(await this.ask('can_send_version', { client: name, version, version_cap: cap })),
    }
  }

  async notifier({ topics, driver, publisherId }: NotifierOptions): Promise<LiveNotifier> {
    const name = unique('notifier')
    await this.do('notifier', { name, topics, driver, publisher_id: publisherId })
    return {
      notify: async (priority, eventType, payload, more = {}) => {
        const { ctxt, publisherId: publisher } = more
        const message = { priority, event_type: eventType, payload, ctxt, publisher_id: publisher }
        await this.do('notify', { notifier: name, ...message })
      },
    }
  }

  async listen(options: ListenOptions): Promise<LiveListener> {
    const name = unique('listener')
    const inboxes = { notifications: new Inbox<SeenNotification>(), batches: new Inbox<SeenBatch>() }
    this.#listeners.set(name, inboxes)
    const { topics, priorities, pool, filter, batchSize, batchTimeoutMs, allowRequeue, requeueFirst } = options
    await this.do('listen', {
      name,
      topics,
      priorities,
      pool,
      filter,
      allow_requeue: allowRequeue,
      requeue_first: requeueFirst,
      batch_size: batchSize,
      batch_timeout: batchTimeoutMs === undefined ? undefined : batchTimeoutMs / 1000,
    })
    return { ...inboxes, stop: async () => void (await this.do('stop', { name })) }
  }

  async refusalOfBadEndpoint(): Promise<string> {
    return (await this.ask('bad_endpoint', {})).error?.type ?? 'none'
  }

  /** A command of side.py that must succeed; resolves to its value. */
  async do(what: string, command: Fields): Promise<unknown> {
    const { value, error } = await this.ask(what, command)
    if (error !== undefined) throw new Error(`Python could not ${what}: ${error.module}.${error.type}: ${error.text}`)
    return value
  }

  /** The same, when failing is an answer. */
  ask(what: string, command: Fields): Promise<Reply> {
    const id = (this.#lastId += 1)
    return new Promise((resolve, reject) => {
      const timer = setTimeout(
        () => reject(this.#complaint(`did not answer ${what} within ${PATIENCE_MS} ms`)),
        PATIENCE_MS,
      )
      const settle =
        <T>(how: (value: T) => void) =>
        (value: T): void => {
          clearTimeout(timer)
          this.#waiting.delete(id)
          how(value)
        }
      this.#waiting.set(id, { resolve: settle(resolve), reject: settle(reject) })
      this.#child.stdin.write(`${encodeJson({ ...command, id, do: what })}\n`)
    })
  }

  async close(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return
    this.#child.stdin.end()
    // It is asked what its threads are doing before it is ended.
    const timers = [
      setTimeout(() => this.#child.kill('SIGUSR1'), STOP_PATIENCE_MS),
      setTimeout(() => this.kill(), STOP_PATIENCE_MS + 1000),
    ]
    await this.#exited
    for (const timer of timers) clearTimeout(timer)
    if (!this.#signs.items.includes('stopped')) throw this.#complaint('did not stop in order')
  }

  kill(): void {
    this.#child.kill('SIGKILL')
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.kill()
    await this.#exited
  }

  #read(line: string): void {
    let event: Fields
    try {
      event = decodeJson(line) as Fields
    } catch {
      this.#errors += `not an event: ${line.slice(0, 500)}\n`
      return
    }
    const at = String(event['at'])
    switch (event['event']) {
      case 'answer':
        this.#waiting.get(Number(event['id']))?.resolve(event as Fields & Reply)
        return
      case 'request':
        this.#requests.get(at)?.add(event as Fields & SeenRequest)
        return
      case 'notification':
        this.#listeners.get(at)?.notifications.add(notificationOf(event as Fields & Printed))
        return
      case 'batch': {
        const { priority, messages } = event as Fields & { priority: Priority; messages: readonly Printed[] }
        this.#listeners.get(at)?.batches.add({ priority, messages: messages.map(notificationOf) })
        return
      }
      default:
        this.#signs.add(String(event['event']))
    }
  }

  #end(): void {
    for (const { reject } of this.#waiting.values()) reject(this.#complaint('ended'))
  }

  #complaint(what: string): Error {
    return new Error(`Python's side ${what}. ${this.#errors.slice(-6000)}`)
  }
}
