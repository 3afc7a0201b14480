import { TransportDriverError } from '../errors.ts'
import { TransportHost, type TransportURL } from '../url/transport-url.ts'
import type { CredentialsProvider, HostCredentials } from './driver.ts'

/** One address to try. */
export interface HostAddress {
  readonly hostname: string
  readonly port: number
  /** `host:port`, for errors, logs and health: no credentials. */
  readonly address: string
  /** As the URL has it; its password is behind a getter. */
  readonly host: TransportHost
}

/** How hosts take turns. */
export interface HostRotationOptions {
  readonly defaultPort: number
  /** The context's: where a client begins, so that a thousand of them spread. */
  readonly random: () => number
}

/** The hosts of a URL, in its order and round again, begun at a random one. A URL without any means localhost. */
export class HostRotation {
  readonly #hosts: readonly HostAddress[]
  #next: number

  constructor(url: TransportURL, { defaultPort, random }: HostRotationOptions) {
    const hosts = url.hosts.length === 0 ? [new TransportHost()] : url.hosts
    this.#hosts = hosts.map((host) => {
      const at = new TransportHost({ hostname: host.hostname || 'localhost', port: host.port ?? defaultPort })
      return { hostname: at.hostname ?? 'localhost', port: at.port ?? defaultPort, address: at.address, host }
    })
    this.#next = Math.floor(random() * this.#hosts.length)
  }

  /** How many there are: wait between attempts once all of them were tried. */
  get size(): number {
    return this.#hosts.length
  }

  /** The next to try, whether the last one was reached or not: after a loss another one has its turn first. */
  next(): HostAddress {
    const host = this.#hosts[this.#next % this.#hosts.length] as HostAddress
    this.#next = (this.#next + 1) % this.#hosts.length
    return host
  }
}

/** Name and password for one attempt at a host: what the application's provider gives, else those of the URL; undefined
 *  when there are none. Rejects with what the provider rejects with, as a failure that may pass. */
export async function credentialsFor(
  { host, hostname, port, address }: HostAddress,
  provider: CredentialsProvider | undefined,
  signal: AbortSignal,
): Promise<HostCredentials | undefined> {
  if (provider !== undefined) {
    try {
      const given = await provider({ hostname, port }, { signal })
      if (given !== undefined) return given
    } catch (cause) {
      // The provider's own text may have anything in it, and errors are printed.
      throw new TransportDriverError(`No credentials for ${address}: their provider failed`, {
        cause,
        retryable: true,
        host: address,
      })
    }
  }
  if (host.username === null && host.password === null) return undefined
  return { username: host.username ?? '', password: host.password ?? '' }
}
