import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { LAST_PYTHON_WITH_AMQP10, NEWEST_PYTHON, type PythonRelease, pythonWithLibrary } from '@oslo-messaging/brokers'
import type { ConformancePeer } from '@oslo-messaging/conformance'
import { decodeJson, encodeJson } from '@oslo-messaging/core/driver'

const PROGRAM = fileURLToPath(new URL('../../../interop/peers/side.py', import.meta.url))
const RELEASES: Readonly<Record<'newest' | 'amqp10', PythonRelease>> = {
  newest: NEWEST_PYTHON,
  amqp10: LAST_PYTHON_WITH_AMQP10,
}
const ANSWER_MS = 60_000
const STOP_MS = 15_000
/** What is sent to a listener until it hears it. */
const PROBE = 'does it listen?'
const PROBE_PAUSE_MS = 200

export interface PythonPeerOptions {
  readonly library: keyof typeof RELEASES
  /** Transport URL, without proxies: it is the driver that is under test. */
  readonly url: string
  /** `group.option=value`. */
  readonly settings?: readonly string[]
  /** Exchange of requests, when it is not the one of notifications. */
  readonly exchange?: string
  /** Makes topics before the library listens to them: on Kafka it looks for new ones rarely, and begins at the end of
   *  each whenever it gets there. */
  readonly createTopics?: (names: readonly string[]) => Promise<void>
}

type Fields = Readonly<Record<string, unknown>>

/** The real Python library as the other side, started by the first case that needs it. */
export function pythonPeer(options: PythonPeerOptions): {
  readonly peer: () => Promise<ConformancePeer>
  readonly close: () => Promise<void>
} {
  let starting: Promise<PythonPeer> | undefined
  return {
    peer: () => (starting ??= PythonPeer.start(options)),
    close: async () => {
      // Why it did not start, the case that asked for it has said.
      const peer = await starting?.catch(() => undefined)
      await peer?.close()
    },
  }
}

/** One process of interop's peers/side.py: a line for each command, a line for each answer and each thing seen. */
class PythonPeer implements ConformancePeer {
  readonly name: string
  declare readonly exchange?: string
  readonly #child: ChildProcessWithoutNullStreams
  readonly #createTopics: PythonPeerOptions['createTopics']
  readonly #exited: Promise<void>
  readonly #waiting = new Map<number, (answer: Fields) => void>()
  readonly #watchers = new Map<string, (event: Fields) => void>()
  #errors = ''
  #lastId = 0

  private constructor(
    child: ChildProcessWithoutNullStreams,
    name: string,
    { createTopics, exchange }: PythonPeerOptions,
  ) {
    this.name = name
    if (exchange !== undefined) this.exchange = exchange
    this.#createTopics = createTopics
    this.#child = child
    this.#exited = new Promise((resolve) => child.once('close', () => resolve()))
    createInterface({ input: child.stdout }).on('line', (line) => this.#read(decodeJson(line) as Fields))
    child.stderr.setEncoding('utf8').on('data', (text: string) => (this.#errors += text))
    // A process that has gone closes the pipe; whoever waits for an answer is told by its exit.
    child.stdin.on('error', () => undefined)
    void this.#exited.then(() => {
      for (const answer of this.#waiting.values()) answer({ error: { text: `Python ended. ${this.#errors}` } })
    })
  }

  static async start(options: PythonPeerOptions): Promise<PythonPeer> {
    const { library, url, settings = [] } = options
    const python = await pythonWithLibrary(RELEASES[library])
    const words = ['-u', PROGRAM, '--url', url, ...settings.flatMap((setting) => ['--set', setting])]
    const peer = new PythonPeer(spawn(python, words), `oslo.messaging ${RELEASES[library].version} (Python)`, options)
    // Answered by the library only when the process takes commands.
    await peer.#do('collected', { topic: 'nothing' })
    return peer
  }

  async serve(topic: string, server: string, onRequest: (method: string) => void): Promise<() => Promise<void>> {
    const name = randomUUID()
    this.#watchers.set(name, ({ method }) => onRequest(String(method)))
    await this.#do('serve', { name, topic, server, exchange: this.exchange })
    return async () => void (await this.#do('stop', { name }))
  }

  async call(topic: string, method: string, args: Fields): Promise<unknown> {
    return await this.#do('call', { ...(await this.#client(topic)), method, args })
  }

  async fanout(topic: string, method: string, args: Fields): Promise<void> {
    await this.#do('cast', { ...(await this.#client(topic)), method, args, target: { fanout: true } })
  }

  async notify(topic: string, priority: string, payload: unknown): Promise<void> {
    const name = randomUUID()
    await this.#do('notifier', { name, topics: [topic], publisher_id: 'python' })
    await this.#do('notify', { notifier: name, priority, event_type: 'conformance.event', payload })
  }

  async listen(
    topic: string,
    priorities: readonly string[],
    onNotification: (priority: string, payload: unknown) => void,
  ): Promise<() => Promise<void>> {
    const name = randomUUID()
    const unheard = new Set(priorities)
    this.#watchers.set(name, ({ priority, payload }) => {
      if (payload === PROBE) unheard.delete(String(priority))
      else onNotification(String(priority), payload)
    })
    await this.#createTopics?.(priorities.map((priority) => `${topic}.${priority}`))
    await this.#do('listen', { name, topics: [topic], priorities })
    if (this.#createTopics !== undefined) await this.#reach(topic, unheard)
    return async () => void (await this.#do('stop', { name }))
  }

  /** Resolves when each priority was heard. The library says that it listens when it has its partitions, and only then
   *  asks where they end: what is sent in between would be behind its back. */
  async #reach(topic: string, unheard: ReadonlySet<string>): Promise<void> {
    const ends = performance.now() + ANSWER_MS
    while (unheard.size > 0) {
      if (performance.now() > ends) throw new Error(`Python does not hear ${[...unheard].join(', ')} of ${topic}`)
      for (const priority of unheard) await this.notify(topic, priority, PROBE)
      await sleep(PROBE_PAUSE_MS)
    }
  }

  async close(): Promise<void> {
    this.#child.stdin.end()
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), STOP_MS)
    await this.#exited
    clearTimeout(timer)
  }

  async #client(topic: string): Promise<Fields> {
    const client = randomUUID()
    await this.#do('client', { name: client, target: { topic, exchange: this.exchange }, timeout: ANSWER_MS / 1000 })
    return { client }
  }

  /** A command of side.py. Rejects with the text of what Python raised. */
  async #do(what: string, command: Fields): Promise<unknown> {
    const id = (this.#lastId += 1)
    const answer = await new Promise<Fields>((resolve) => {
      const late = { error: { text: `Python did not answer ${what}. ${this.#errors}` } }
      const timer = setTimeout(() => resolve(late), ANSWER_MS)
      this.#waiting.set(id, (given) => {
        clearTimeout(timer)
        resolve(given)
      })
      this.#child.stdin.write(`${encodeJson({ ...command, id, do: what })}\n`)
    })
    this.#waiting.delete(id)
    const error = answer['error'] as
      | { readonly type?: string; readonly text?: string; readonly value?: string }
      | undefined
    if (error !== undefined && error !== null) throw new Error(`${error.type ?? ''}: ${error.text ?? ''}`)
    return answer['value']
  }

  #read(event: Fields): void {
    if (event['event'] === 'answer') this.#waiting.get(Number(event['id']))?.(event)
    else this.#watchers.get(String(event['at']))?.(event)
  }
}
