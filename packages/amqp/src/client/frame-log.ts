import type { Connection } from './client.ts'

interface Performative {
  readonly constructor: { readonly name?: string }
  toJSON?(): unknown
}
interface Tracing {
  _write_frame(channel?: number, frame?: Performative, payload?: Buffer): void
  input(chunk: Buffer): void
}

/** Performatives that peers send, by the method of rhea's connection that takes them. */
const RECEIVED = ['open', 'begin', 'attach', 'flow', 'transfer', 'disposition', 'detach', 'end', 'close'] as const

/** Tells of every performative sent and received, for `[oslo_messaging_amqp] trace`. Payloads of messages and credentials are left out: only their size is told. */
export function traceFrames(connection: Connection, tell: (line: string) => void): void {
  const internals = connection as Connection & Tracing
  const write = internals._write_frame.bind(connection)
  internals._write_frame = (channel, frame, payload) => {
    if (frame !== undefined) tell(`:${channel} -> ${describe(frame, payload)}`)
    write(channel, frame, payload)
  }
  for (const name of RECEIVED) {
    const method = `on_${name}`
    const take = Reflect.get(connection, method) as (frame: Received) => void
    Reflect.set(connection, method, (frame: Received) => {
      tell(`:${frame.channel} <- ${describe(frame.performative, frame.payload)}`)
      take.call(connection, frame)
    })
  }
}

interface Received {
  readonly channel: number
  readonly performative: Performative
  readonly payload?: Buffer
}

function describe(frame: Performative, payload: Buffer | undefined): string {
  const size = payload === undefined ? '' : ` (${payload.length} bytes)`
  return `${frame.constructor.name ?? 'frame'} ${JSON.stringify(frame)}${size}`
}
