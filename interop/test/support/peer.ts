import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

import { NEWEST_PYTHON, pythonWithLibrary, type PythonRelease } from '@oslo-messaging/brokers'

/** One line that a peer printed. */
export interface PeerEvent {
  readonly event: string
  readonly [field: string]: unknown
}

interface Waiter {
  readonly wants: (event: PeerEvent) => boolean
  readonly take: (event: PeerEvent) => void
  readonly fail: (error: Error) => void
}

const PATIENCE_MS = 20_000
/** Loaded machines start a Python interpreter slowly. */
const START_PATIENCE_MS = 60_000

/** A Python program of interop/peers: commands go in as lines of JSON, events come out. It stops when its input closes,
 *  so it cannot outlive the test process. */
export class Peer implements AsyncDisposable {
  readonly #name: string
  readonly #child: ChildProcessWithoutNullStreams
  readonly #exited: Promise<unknown>
  /** Printed, and not yet taken by anyone. */
  readonly #events: PeerEvent[] = []
  readonly #waiters = new Set<Waiter>()
  readonly #lines = new WeakMap<PeerEvent, string>()
  #errors = ''
  #ended = false

  private constructor(name: string, child: ChildProcessWithoutNullStreams) {
    this.#name = name
    this.#child = child
    createInterface({ input: child.stdout }).on('line', (line) => this.#read(line))
    child.stderr.setEncoding('utf8').on('data', (text: string) => (this.#errors += text))
    // A peer that has gone closes the pipe; whoever waits for it is told by its exit.
    child.stdin.on('error', () => undefined)
    this.#exited = new Promise((resolve) => {
      child.on('error', (error) => {
        this.#errors += error.message
        resolve(undefined)
      })
      child.on('close', resolve)
    })
    void this.#exited.then(() => this.#end())
  }

  /** Starts `peers/<script>.py` on the URL and resolves when it says that it is ready. */
  static async start(
    script: string,
    url: string,
    args: readonly string[] = [],
    release: PythonRelease = NEWEST_PYTHON,
  ): Promise<Peer> {
    const python = await pythonWithLibrary(release)
    const program = fileURLToPath(new URL(`../../peers/${script}.py`, import.meta.url))
    const peer = new Peer(script, spawn(python, ['-u', program, '--url', url, ...args]))
    try {
      await peer.next('ready', {}, START_PATIENCE_MS)
    } catch (error) {
      peer.#child.kill('SIGKILL')
      throw error
    }
    return peer
  }

  /** Takes the first event of this kind (and these properties) out of what has been printed, waiting for it if need be.
   *  Rejects after `timeoutMs`, or when the peer ends, with what was printed instead. */
  next(kind: string, matches: Readonly<Record<string, unknown>> = {}, timeoutMs = PATIENCE_MS): Promise<PeerEvent> {
    return this.#take(
      (event) => event.event === kind && Object.entries(matches).every(([key, value]) => event[key] === value),
      {
        what: `${kind} ${JSON.stringify(matches)}`,
        timeoutMs,
      },
    )
  }

  /** The answer to the command with this id, good or bad. */
  answer(id: number, timeoutMs = PATIENCE_MS): Promise<PeerEvent> {
    const kinds = new Set(['result', 'error', 'sent'])
    return this.#take((event) => kinds.has(event.event) && event['id'] === id, {
      what: `an answer to ${id}`,
      timeoutMs,
    })
  }

  /** What has been printed and not been taken, of one kind. */
  untaken(kind: string): readonly PeerEvent[] {
    return this.#events.filter((event) => event.event === kind)
  }

  send(command: Readonly<Record<string, unknown>>): void {
    this.sendText(JSON.stringify(command))
  }

  /** A command as JSON text, for values that JavaScript cannot hold. */
  sendText(command: string): void {
    this.#child.stdin.write(`${command}\n`)
  }

  /** The line that an event was printed as. */
  lineOf(event: PeerEvent): string {
    return this.#lines.get(event) ?? ''
  }

  /** Closes its input and waits until it has stopped in order; rejects when it does not. */
  async stop(): Promise<void> {
    if (this.#ended) return
    this.#child.stdin.end()
    await this.next('stopped')
    await this.#exited
  }

  /** Ends it at once: for the end of a test, whether it went well or not. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill('SIGKILL')
    await this.#exited
  }

  #take(
    wants: (event: PeerEvent) => boolean,
    wait: { readonly what: string; readonly timeoutMs: number },
  ): Promise<PeerEvent> {
    const at = this.#events.findIndex(wants)
    const [found] = at < 0 ? [] : this.#events.splice(at, 1)
    if (found !== undefined) return Promise.resolve(found)
    if (this.#ended) return Promise.reject(this.#complaint(`ended without ${wait.what}`))
    return new Promise((resolve, reject) => {
      const finish = (): void => {
        clearTimeout(timer)
        this.#waiters.delete(waiter)
      }
      const waiter: Waiter = {
        wants,
        take: (event) => {
          finish()
          resolve(event)
        },
        fail: (error) => {
          finish()
          reject(error)
        },
      }
      const timer = setTimeout(
        () => waiter.fail(this.#complaint(`did not print ${wait.what} within ${wait.timeoutMs} ms`)),
        wait.timeoutMs,
      )
      this.#waiters.add(waiter)
    })
  }

  #read(line: string): void {
    const event = parse(line)
    if (event === undefined) {
      this.#errors += `not an event: ${line}\n`
      return
    }
    this.#lines.set(event, line)
    for (const waiter of this.#waiters) {
      if (!waiter.wants(event)) continue
      waiter.take(event)
      return
    }
    this.#events.push(event)
  }

  #end(): void {
    this.#ended = true
    for (const waiter of this.#waiters) waiter.fail(this.#complaint('ended'))
  }

  #complaint(what: string): Error {
    const printed = this.#events.map((event) => JSON.stringify(event).slice(0, 300)).join('\n')
    return new Error(`The Python ${this.#name} ${what}.\nIt printed:\n${printed}\n${this.#errors.slice(-2000)}`)
  }
}

/** Undefined for a line that no peer should have printed. */
function parse(line: string): PeerEvent | undefined {
  try {
    return JSON.parse(line) as PeerEvent
  } catch {
    return undefined
  }
}
