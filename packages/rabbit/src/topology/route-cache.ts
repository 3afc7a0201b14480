import type { Target } from '@oslo-messaging/core/driver'
import type { Requirement } from './declarations.ts'
import type { Topology } from './topology.ts'

/** Where a message goes, as the publisher wants it. */
export interface Route {
  /** `''` for the default exchange. */
  readonly exchange: string
  readonly routingKey: string
  readonly requirement: Requirement | null
}

/** The routes of targets. Targets never change and are used again and again: each is worked out once, and kept for as
 *  long as its target. */
export class RouteCache {
  readonly #topology: Topology
  readonly #requests = new WeakMap<Target, Route>()
  readonly #notifications = new WeakMap<Target, Route>()

  constructor(topology: Topology) {
    this.#topology = topology
  }

  /** Throws InvalidTarget. */
  ofRequest(target: Target): Route {
    let route = this.#requests.get(target)
    if (route === undefined) {
      const { exchange, routingKey } = this.#topology.requestDestination(target)
      const requirement = exchange === null ? null : { exchange, store: null }
      route = { exchange: exchange?.name ?? '', routingKey, requirement }
      this.#requests.set(target, route)
    }
    return route
  }

  /** With the queue that keeps the notification while nobody listens. Throws InvalidTarget. */
  ofNotification(target: Target): Route {
    let route = this.#notifications.get(target)
    if (route === undefined) {
      const { routingKey, store } = this.#topology.notificationDestination(target)
      route = { exchange: store.exchange.name, routingKey, requirement: { exchange: store.exchange, store } }
      this.#notifications.set(target, route)
    }
    return route
  }
}
