import type { ClientConnection } from '../client/client.ts'
import type { Connection } from '../connection/connection.ts'
import { Declarations } from '../topology/declarations.ts'
import { Lane } from './exchange-channel.ts'
import { brokerCodeOf, mapError } from '../connection/map-error.ts'
import { NotSent } from './publish-errors.ts'
import type { Shipment } from './outgoing-message.ts'

/** Lanes of their own for so many exchanges; the rest share one. */
const MOST_LANES = 32
/** No exchange is called that. */
const SHARED_LANE = '\n'

/** What belongs to one connection and ends with it. */
interface Session {
  readonly connection: ClientConnection
  readonly declarations: Declarations
  readonly lanes: Map<string, Lane>
  readonly opening: Map<string, Promise<Lane>>
}

/** The ways to the exchanges over the connection there is, each opened and declared when it is first needed. */
export class Lanes {
  readonly #connection: Connection
  #session: Session | undefined

  constructor(connection: Connection) {
    this.#connection = connection
  }

  /** The lane for the shipment when everything it needs is there: the hot path, without a promise. */
  ready({ exchange, requirement }: Shipment): Lane | undefined {
    const session = this.#session
    if (session === undefined || session.connection !== this.#connection.current) return undefined
    if (requirement !== null && !session.declarations.has(requirement)) return undefined
    const lane = session.lanes.get(laneName(session, exchange))
    return lane?.usable === true ? lane : undefined
  }

  /** Connects, declares and opens what is missing. Rejects with NotSent when another attempt may go better, with the typed error when none will, and at the deadline. */
  async open(shipment: Shipment, retries: number | null): Promise<Lane> {
    const { deadline, progress, requirement, exchange } = shipment
    progress.phase = 'connect'
    const connection = await this.#connection.ready(deadline, retries)
    const session = this.#sessionFor(connection)
    try {
      if (requirement !== null) {
        progress.phase = 'declare'
        await deadline.race(session.declarations.ensure(requirement), progress)
      }
      return await deadline.race(laneOf(session, exchange), progress)
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
        lanes: new Map(),
        opening: new Map(),
      }
    return this.#session
  }
}

/** The lane that is there, or the one that is being opened for all who ask. */
async function laneOf(session: Session, exchange: string): Promise<Lane> {
  const name = laneName(session, exchange)
  const lane = session.lanes.get(name)
  if (lane?.usable === true) return lane
  let opening = session.opening.get(name)
  if (opening === undefined) {
    opening = session.connection.openConfirmChannel().then((channel) => {
      const opened = new Lane(channel)
      session.lanes.set(name, opened)
      return opened
    })
    session.opening.set(name, opening)
    const forget = (): void => void session.opening.delete(name)
    opening.then(forget, forget)
  }
  return await opening
}

function laneName({ lanes }: Session, exchange: string): string {
  return lanes.has(exchange) || lanes.size < MOST_LANES ? exchange : SHARED_LANE
}
