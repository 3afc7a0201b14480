import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { rm } from 'node:fs/promises'
import net from 'node:net'
import os from 'node:os'
import path from 'node:path'

import { BrokerUnavailable } from './errors.ts'
import { type Answer, type SharedName, startShared } from './shared.ts'

/** Keeps the shared brokers of a test run: starts each when the first test file asks for it, and tells every one that
 *  asks how to reach it. The brokers end with this process. */
export class SharedHost implements AsyncDisposable {
  /** Path of the local socket to ask at, for the environment variable of `sharedBroker`. */
  readonly socket: string
  readonly #server: net.Server

  private constructor(server: net.Server, socket: string) {
    this.#server = server
    this.socket = socket
  }

  static async open(start: (name: SharedName) => Promise<unknown> = startShared): Promise<SharedHost> {
    const socket = path.join(os.tmpdir(), `oslo-brokers-${randomUUID().slice(0, 8)}.sock`)
    // Half open: the one who asks says everything at once and then only listens.
    const server = net.createServer({ allowHalfOpen: true }, (connection) => {
      let question = ''
      connection.setEncoding('utf8')
      connection.on('error', () => connection.destroy())
      connection.on('data', (chunk: string) => {
        question += chunk
        if (!question.endsWith('\n')) return
        void answer(question.trim(), start).then((reply) => connection.end(JSON.stringify(reply)))
      })
    })
    server.listen(socket)
    await once(server, 'listening')
    server.unref()
    return new SharedHost(server, socket)
  }

  async close(): Promise<void> {
    if (this.#server.listening) this.#server.close()
    await rm(this.socket, { force: true })
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }
}

async function answer(question: string, start: (name: SharedName) => Promise<unknown>): Promise<Answer> {
  try {
    if (question !== 'rabbit' && question !== 'kafka') return { error: `No shared broker is called ${question}` }
    return { facts: await start(question) } as Answer
  } catch (error) {
    if (error instanceof BrokerUnavailable) {
      return { unavailable: { broker: error.broker, problem: error.problem, remedy: error.remedy } }
    }
    return { error: error instanceof Error ? error.message : String(error) }
  }
}
