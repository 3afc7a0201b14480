import type { ClientConnection } from '../client/client.ts'
import type { Connection } from '../connection/connection.ts'
import { Declarations } from '../topology/declarations.ts'
import { ExchangeChannel } from './exchange-channel.ts'
import { brokerCodeOf, mapError } from '../connection/map-error.ts'
import { NotSent } from './publish-errors.ts'
import type { OutgoingMessage } from './outgoing-message.ts'

/** Channels of their own for so many exchanges; the rest share one. */
const MOST_CHANNELS = 32
/** No exchange is called that. */
const SHARED = '\n'

/** What belongs to one connection and ends with it. */
interface Session {
  readonly connection: ClientConnection
  readonly declarations: Declarations
  readonly channels: Map<string, ExchangeChannel>
  readonly opening: Map<string, Promise<ExchangeChannel>>
}

/** The ways to the exchanges over the connection there is, each opened and declared when it is first needed. */
export class ExchangeChannels {
  readonly #connection: Connection
  #session: Session | undefined

  constructor(connection: Connection) {
    this.#connection = connection
  }

  /** The channel for the message when everything it needs is there: the hot path, without a promise. */
  ready({ exchange, requirement }: OutgoingMessage): ExchangeChannel | undefined {
    const session = this.#session
    if (session === undefined || session.connection !== this.#connection.current) return undefined
    if (requirement !== null && !session.declarations.has(requirement)) return undefined
    const channel = session.channels.get(channelName(session, exchange))
    return channel?.usable === true ? channel : undefined
  }

  /** Connects, declares and opens what is missing. Rejects with NotSent when another attempt may go better, with the typed error when none will, and at the deadline. */
  async open(outgoing: OutgoingMessage, retries: number | null): Promise<ExchangeChannel> {
    const { deadline, progress, requirement, exchange } = outgoing
    progress.phase = 'connect'
    const connection = await this.#connection.ready(deadline, retries)
    const session = this.#sessionFor(connection)
    try {
      if (requirement !== null) {
        progress.phase = 'declare'
        await deadline.race(session.declarations.ensure(requirement), progress)
      }
      return await deadline.race(channelOf(session, exchange), progress)
    } catch (error) {
      if (deadline.signal?.aborted === true && error === deadline.signal.reason) throw error
      const failure = mapError(error, { ...progress, host: this.#connection.host })
      throw failure.retryable ? new NotSent(failure) : failure
    }
  }

  /** After a 404 the exchange has to be declared again before it is used. */
  forgetExchange(exchange: string, error: unknown): void {
    if (brokerCodeOf(error) === 404) this.#session?.declarations.forget(exchange)
  }

  #sessionFor(connection: ClientConnection): Session {
    if (this.#session?.connection !== connection)
      this.#session = {
        connection,
        declarations: new Declarations(connection),
        channels: new Map(),
        opening: new Map(),
      }
    return this.#session
  }
}

/** The channel that is there, or the one that is being opened for all who ask. */
async function channelOf(session: Session, exchange: string): Promise<ExchangeChannel> {
  const name = channelName(session, exchange)
  const channel = session.channels.get(name)
  if (channel?.usable === true) return channel
  let opening = session.opening.get(name)
  if (opening === undefined) {
    opening = session.connection.openConfirmChannel().then((channel) => {
      const opened = new ExchangeChannel(channel)
      session.channels.set(name, opened)
      return opened
    })
    session.opening.set(name, opening)
    const forget = (): void => void session.opening.delete(name)
    opening.then(forget, forget)
  }
  return await opening
}

function channelName({ channels }: Session, exchange: string): string {
  return channels.has(exchange) || channels.size < MOST_CHANNELS ? exchange : SHARED
}
