const AUTHORIZATION = `Basic ${Buffer.from('admin:admin').toString('base64')}`

/** The management of one Broker-J over HTTP. Paths are below `/api/latest`. */
export class Rest {
  readonly #base: string

  constructor(port: number) {
    this.#base = `http://127.0.0.1:${port}/api/latest`
  }

  async get(path: string): Promise<unknown> {
    return (await this.#ask('GET', path)).json()
  }

  async put(path: string, body: object): Promise<void> {
    await this.#ask('PUT', path, body)
  }

  async delete(path: string): Promise<void> {
    await this.#ask('DELETE', path)
  }

  /** Asks once whether it serves requests, with every virtual host active. */
  async answers(): Promise<boolean> {
    try {
      const hosts = (await this.get('virtualhost')) as readonly { readonly state?: string }[]
      return hosts.length > 0 && hosts.every(({ state }) => state === 'ACTIVE')
    } catch (error) {
      if (error instanceof TypeError || error instanceof RefusedByBroker) return false
      throw error
    }
  }

  async #ask(method: string, path: string, body?: object): Promise<Response> {
    const response = await fetch(`${this.#base}/${path}`, {
      method,
      headers: { authorization: AUTHORIZATION, 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(10_000),
    })
    if (response.ok) return response
    throw new RefusedByBroker(`${method} ${path}: ${response.status} ${(await response.text()).slice(0, 300)}`)
  }
}

class RefusedByBroker extends Error {}
