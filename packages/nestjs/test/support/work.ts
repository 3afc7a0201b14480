import { Payload } from '@nestjs/microservices'
import { OnNotification, RpcMethod } from '../../src/index.ts'
import { decorate } from './shop.ts'

/** What the handlers of all applications have had to do with. */
class Tally {
  readonly calls: number[] = []
  readonly notifications: number[] = []
  readonly begun: ('call' | 'notification')[] = []
  finish = (): void => {}
  readonly finished = new Promise<void>((resolve) => (this.finish = resolve))
}

/** Handlers that wait until a test lets them end. */
export class WorkController {
  static #tally = new Tally()

  static reset(): Tally {
    WorkController.#tally = new Tally()
    return WorkController.#tally
  }

  async work({ number }: { number: number }): Promise<number> {
    await WorkController.#wait('call')
    WorkController.#tally.calls.push(number)
    return number
  }

  async heard({ number }: { number: number }): Promise<void> {
    await WorkController.#wait('notification')
    WorkController.#tally.notifications.push(number)
  }

  static async #wait(what: 'call' | 'notification'): Promise<void> {
    WorkController.#tally.begun.push(what)
    await WorkController.#tally.finished
  }
}
decorate(WorkController.prototype, { work: [RpcMethod()], heard: [OnNotification('event')] })
Payload()(WorkController.prototype, 'work', 0)
Payload()(WorkController.prototype, 'heard', 0)
