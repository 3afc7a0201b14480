import type { Socket } from 'node:net'

// One JSON object a line, both ways. Bodies are text the hub does not look into.

/** What a client asks for. The hub answers each with `{ id, taken }`. */
export type Request =
  /** From now on, `as` gets messages of these queues, at most `prefetch` unsettled ones at a time, competing with other
   *  consumers. null: nothing is settled, what was delivered is gone.
   *  Queues are made if need be, and get a copy of what is sent to their key. A private one goes with its consumer. */
  | {
      readonly id: string
      readonly do: 'consume'
      readonly as: string
      readonly prefetch: number | null
      readonly queues: readonly Queue[]
    }
  /** No more messages for `as`; `release` hands its unsettled ones back as well. */
  | { readonly id: string; readonly do: 'cancel'; readonly as: string; readonly release: boolean }
  /** `taken` is how many queues have it. Sent twice with the same id, it is stored once. */
  | {
      readonly id: string
      readonly do: 'publish'
      readonly key: string
      readonly body: string
      /** Dropped when nobody has taken it by then. */
      readonly expiresInMs?: number | null
      /** Makes a queue of the key's name first, so that it waits for a consumer. */
      readonly store?: boolean
    }
  /** Settles a delivery. */
  | { readonly id: string; readonly do: 'acknowledge' | 'requeue'; readonly delivery: number }

export interface Queue {
  readonly name: string
  readonly key: string
  readonly private?: boolean
}

type WithoutId<T> = T extends unknown ? Omit<T, 'id'> : never
export type Ask = WithoutId<Request>

/** A message for one of the client's consumers. */
export interface Delivery {
  readonly as: string
  readonly delivery: number
  readonly redelivered: boolean
  readonly body: string
}

/** What the hub says. */
export type Answer = { readonly id: string; readonly taken: number } | Delivery

/** Calls `onLine` for each line that arrives. JSON text has no line break in it, so a line is a message. */
export function readLines(socket: Socket, onLine: (line: string) => void): void {
  let rest = ''
  socket.setEncoding('utf8').on('data', (text) => {
    const lines = (rest + String(text)).split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) onLine(line)
  })
}
