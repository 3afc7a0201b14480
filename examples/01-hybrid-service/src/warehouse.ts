import { expectedExceptions, Target, ValueError } from '@oslo-messaging/core'
import type { Tally } from './tally.ts'

export interface Reservation {
  readonly item: string
  readonly count: number
}

/** What clients may call, for the compiler. The wire knows names and values only, so a Python client calls the same
 *  methods. */
export interface WarehouseMethods {
  reserve(args: Reservation): Reservation & { readonly by?: string; readonly left?: number }
  restock(args: Reservation): void
  refresh_cache(args: Record<string, never>): void
}

/** The first version of the interface: clients that ask for 1.0 or 1.1 still get it. */
export class WarehouseV1 {
  readonly target = new Target({ version: '1.1' })

  reserve(_context: object, { item, count }: Reservation): Reservation {
    return { item, count }
  }
}

interface Reserved extends Reservation {
  readonly by: string
  readonly left: number
}

/** The second version also says who reserved, and refuses what is not there. */
export class WarehouseV2 {
  readonly target = new Target({ version: '2.0' })
  readonly #stock = new Map([['bolt', 10]])
  readonly #server: string
  readonly #tally: Tally

  constructor(server: string, tally: Tally) {
    this.#server = server
    this.#tally = tally
  }

  reserve(context: Readonly<Record<string, unknown>>, args: Reservation): Reserved {
    return this.#reserve(context, args)
  }

  // Clients provoke this one, so the server does not log it as a fault. ValueError is a class Python clients know.
  readonly #reserve = expectedExceptions(
    [ValueError],
    (context: Readonly<Record<string, unknown>>, { item, count }: Reservation): Reserved => {
      const left = (this.#stock.get(item) ?? 0) - count
      if (left < 0) throw new ValueError(`only ${this.#stock.get(item) ?? 0} of ${item} left`)
      this.#stock.set(item, left)
      return { item, count, by: String(context['user_id']), left }
    },
  )

  restock(_context: object, { item, count }: Reservation): void {
    this.#stock.set(item, (this.#stock.get(item) ?? 0) + count)
    this.#tally.add('restocked')
  }

  refresh_cache(): void {
    this.#tally.add(`refreshed by ${this.#server}`)
  }
}
