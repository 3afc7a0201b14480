import { expectedExceptions, ValueError } from '@oslo-messaging/core'

interface Reservation {
  readonly item: string
  readonly count: number
}

/** What clients may call. */
export interface Stock {
  reserve(args: Reservation): Reserved
}

interface Reserved extends Reservation {
  readonly left: number
}

export class StockEndpoint {
  readonly #left = new Map([['bolt', 10]])

  reserve(context: object, args: Reservation): Reserved {
    return this.#reserve(context, args)
  }

  // Clients provoke this error, so the server does not log it as a fault.
  readonly #reserve = expectedExceptions([ValueError], (_context: object, { item, count }: Reservation): Reserved => {
    const left = (this.#left.get(item) ?? 0) - count
    if (left < 0) throw new ValueError(`only ${this.#left.get(item) ?? 0} of ${item} left`)
    this.#left.set(item, left)
    return { item, count, left }
  })
}
