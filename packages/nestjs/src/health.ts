import type { Messaging } from '@oslo-messaging/core'

/** What @nestjs/terminus takes as the result of an indicator. */
export type OsloHealthResult = Readonly<
  Record<string, { readonly status: 'up' | 'down'; readonly state: string; readonly reason?: string }>
>

/** Health of both buses, for `HealthCheckService.check([() => indicator.isHealthy('messaging')])`. Costs nothing: it
 *  reads what the drivers know already, so it may be asked each second. */
export class OsloHealthIndicator {
  readonly #messaging: Messaging

  constructor(messaging: Messaging) {
    this.#messaging = messaging
  }

  /** `down` while a bus is not usable: recovering, blocked, failed or closed. `idle`, before anything was opened, is
   *  `up`. */
  isHealthy(key: string): OsloHealthResult {
    const { status, reason } = this.#messaging.health()
    const isUp = status === 'ok' || status === 'idle'
    return { [key]: { status: isUp ? 'up' : 'down', state: status, ...(isUp || !reason ? {} : { reason }) } }
  }
}
