import { FaultProxy, type HostPort } from '@oslo-messaging/conformance/faults'

/** One address that leads to a broker, and later to another, as a load balancer's does. */
export class Gate implements AsyncDisposable {
  #proxy: FaultProxy

  private constructor(proxy: FaultProxy) {
    this.#proxy = proxy
  }

  static async open(target: HostPort): Promise<Gate> {
    return new Gate(await FaultProxy.open(target))
  }

  get host(): string {
    return this.#proxy.host
  }

  get port(): number {
    return this.#proxy.port
  }

  /** Cuts off who is inside, and lets nobody in until it leads somewhere else. */
  async shut(): Promise<void> {
    await this.#proxy.refuse()
  }

  async leadTo(target: HostPort): Promise<void> {
    const { port } = this.#proxy
    await this.#proxy.close()
    this.#proxy = await FaultProxy.open(target, { port })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#proxy.close()
  }
}
