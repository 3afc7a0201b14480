import { once } from 'node:events'
import { createServer } from 'node:http'
import { text } from 'node:stream/consumers'

/** What the story looks at. */
interface Received {
  readonly status: number
  readonly event: { readonly id: string; readonly type: string; readonly source: string; readonly data: unknown }
}

/** Somebody else's webhook on this machine: answers as it is told, 202 when it is not. */
export interface Receiver {
  readonly url: string
  /** The statuses of the next answers. */
  answerWith(...statuses: number[]): void
  /** The next request, waited for at most 10 s. */
  next(): Promise<Received>
  close(): Promise<void>
}

export async function openReceiver(): Promise<Receiver> {
  const statuses: number[] = []
  const arrived: Received[] = []
  let wake = (): void => {}
  const server = createServer((request, response) => {
    void text(request).then((body) => {
      const status = statuses.shift() ?? 202
      response.writeHead(status).end()
      arrived.push({ status, event: JSON.parse(body) as Received['event'] })
      wake()
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('The receiver has no port')
  return {
    url: `http://127.0.0.1:${address.port}/events`,
    answerWith: (...next) => void statuses.push(...next),
    async next() {
      const limit = AbortSignal.timeout(10_000)
      for (;;) {
        const received = arrived.shift()
        if (received !== undefined) return received
        await new Promise<void>((resolve, reject) => {
          wake = resolve
          limit.addEventListener('abort', () => reject(new Error('No request came within 10 s')), { once: true })
        })
      }
    },
    async close() {
      server.close()
      server.closeAllConnections()
      await once(server, 'close')
    },
  }
}
