import { Controller } from '@nestjs/common'
import { Ctx, Payload } from '@nestjs/microservices'
import { type Notifier, ValueError } from '@oslo-messaging/core'
import { InjectNotifier, OnNotification, type OsloRpcContext, RpcEndpoint, RpcMethod } from '@oslo-messaging/nestjs'

interface Reservation {
  readonly item: string
  readonly count: number
}

interface Reserved extends Reservation {
  readonly left: number
  readonly by: string | null
}

/** What clients may call. */
export interface Stock {
  reserve(args: Reservation): Reserved
}

/** What was cancelled, for whoever looks at it. */
export const cancelled: number[] = []

@Controller()
@RpcEndpoint({ version: '1.1' })
export class StockController {
  readonly #left = new Map([['bolt', 10]])
  readonly #notifier: Notifier

  constructor(@InjectNotifier() notifier: Notifier) {
    this.#notifier = notifier
  }

  @RpcMethod()
  async reserve(
    @Payload() { item, count }: Reservation,
    @Ctx() context: OsloRpcContext<{ user_id?: string }>,
  ): Promise<Reserved> {
    const left = (this.#left.get(item) ?? 0) - count
    if (left < 0) throw new ValueError(`only ${this.#left.get(item) ?? 0} of ${item} left`)
    this.#left.set(item, left)
    const asking = context.getContext()
    const reserved = { item, count, left, by: asking.user_id ?? null }
    await this.#notifier.info(asking, 'stock.reserved', reserved)
    return reserved
  }

  @OnNotification('order.cancelled')
  cancel(@Payload() { item, count }: Reservation): void {
    const left = (this.#left.get(item) ?? 0) + count
    this.#left.set(item, left)
    cancelled.push(left)
  }
}
