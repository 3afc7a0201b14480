import type { Clock } from '@oslo-messaging/core/driver'
import type { ClientConnection } from '../client/client.ts'
import type { Connection } from '../connection/connection.ts'
import { Declarations } from '../topology/declarations.ts'
import { ExchangeChannel } from './exchange-channel.ts'
import { brokerCodeOf, mapError } from '../connection/map-error.ts'
import type { PublishOutcome } from './exchange-channel.ts'
import { NotSent } from './publish-errors.ts'
import { limitIn } from './refusal.ts'
import type { OutgoingMessage } from './outgoing-message.ts'

/** Channels of their own for so many exchanges; the rest share one. */
const MOST_CHANNELS = 32
/** How long the broker is taken to keep to the size it has refused. */
const LIMIT_HOLDS_MS = 60_000
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
  readonly #clock: Clock
  #session: Session | undefined
  /** What the broker has said that it does not take. */
  #tooLarge: { readonly bytes: number; readonly error: unknown; readonly until: number } | undefined

  constructor(connection: Connection, clock: Clock) {
    this.#connection = connection
    this.#clock = clock
  }

  /** The channel for the message when everything it needs is there: the hot path, without a promise. */
  ready({ exchange, requirement }: OutgoingMessage): ExchangeChannel | undefined {
    const session = this.#session
    if (session === undefined || session.connection !== this.#connection.current) return undefined
    if (requirement !== null && !session.declarations.has(requirement)) return undefined
    const channel = session.channels.get(channelName(session, exchange))
    return channel?.usable === true ? channel : undefined
  }

  /** Connects, declares and opens what is missing. Rejects with NotSent when another attempt may go better, with the
   *  typed error when none will, and at the deadline. */
  async open(outgoing: OutgoingMessage, retries: number | null): Promise<ExchangeChannel> {
    return await this.#open(outgoing, retries, channelOf)
  }

  /** The same, with a channel that only this message uses; `retire` it when the message is on it. */
  async openAlone(outgoing: OutgoingMessage, retries: number | null): Promise<ExchangeChannel> {
    return await this.#open(
      outgoing,
      retries,
      async ({ connection }) => new ExchangeChannel(await connection.openConfirmChannel()),
    )
  }

  /** The refusal that a body of that size would meet, when the broker has told a moment ago how large is too large. */
  refusalOf(bytes: number): PublishOutcome | undefined {
    const limit = this.#tooLarge
    if (limit === undefined || bytes <= limit.bytes || this.#clock.now() >= limit.until) return undefined
    return { kind: 'refused', error: limit.error }
  }

  /** Learns from a message that did not arrive. */
  noteFailure({ exchange }: OutgoingMessage, outcome: PublishOutcome): void {
    // It has to be declared again before it is used.
    if (outcome.kind === 'unknown' && brokerCodeOf(outcome.error) === 404) this.#session?.declarations.forget(exchange)
    const bytes = outcome.kind === 'refused' ? limitIn(outcome.error) : undefined
    if (bytes === undefined || outcome.kind !== 'refused' || outcome.error === this.#tooLarge?.error) return
    this.#tooLarge = { bytes, error: outcome.error, until: this.#clock.now() + LIMIT_HOLDS_MS }
  }

  async #open(
    outgoing: OutgoingMessage,
    retries: number | null,
    channelIn: (session: Session, exchange: string) => Promise<ExchangeChannel>,
  ): Promise<ExchangeChannel> {
    const { deadline, progress, requirement, exchange } = outgoing
    progress.phase = 'connect'
    const connection = await this.#connection.ready(deadline, retries)
    const session = this.#sessionFor(connection)
    try {
      if (requirement !== null) {
        progress.phase = 'declare'
        await deadline.race(session.declarations.ensure(requirement), progress)
      }
      return await deadline.race(channelIn(session, exchange), progress)
    } catch (error) {
      if (deadline.signal?.aborted === true && error === deadline.signal.reason) throw error
      const failure = mapError(error, { ...progress, host: this.#connection.host })
      throw failure.retryable ? new NotSent(failure) : failure
    }
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
