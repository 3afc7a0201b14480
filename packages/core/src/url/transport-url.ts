import { InvalidTransportURL } from '../errors.ts'
import { checkOptions, type OptionNames } from '../util/check.ts'
import { setInspection } from '../util/inspect.ts'
import { formatHost, formatRedactedURL, formatURL, MASK } from './format.ts'
import { parseURL } from './parse.ts'

/** Fields of a TransportHost; absent and null mean the same, an empty string does not. */
export interface TransportHostFields {
  readonly hostname?: string | null | undefined
  readonly port?: number | null | undefined
  readonly username?: string | null | undefined
  readonly password?: string | null | undefined
}

const HOST_FIELDS: OptionNames<TransportHostFields> = { hostname: true, port: true, username: true, password: true }

/** One broker address of a transport URL. Immutable. Printed with its password masked. */
export class TransportHost {
  /** Without brackets when it is an IPv6 address. */
  readonly hostname: string | null
  /** null: the driver's default. */
  readonly port: number | null
  /** null: none was given, which is not the same as an empty one. */
  readonly username: string | null
  readonly #password: string | null

  constructor(fields: TransportHostFields = {}) {
    checkOptions('A host', fields, HOST_FIELDS)
    this.hostname = fields.hostname ?? null
    this.port = fields.port ?? null
    this.username = fields.username ?? null
    this.#password = fields.password ?? null
    Object.freeze(this)
  }

  /** A getter, so that spreading, cloning and printing an instance leave it behind. */
  get password(): string | null {
    return this.#password
  }

  /** `host:port` as people and metrics may see it: no credentials. */
  get address(): string {
    return formatHost(new TransportHost({ hostname: this.hostname, port: this.port }), null)
  }

  /** Equal in all four fields. */
  equals(other: TransportHost): boolean {
    return (
      this.hostname === other.hostname &&
      this.port === other.port &&
      this.username === other.username &&
      this.password === other.password
    )
  }

  /** `user:***@host:port`. */
  toString(): string {
    return formatHost(this, this.password === null ? null : MASK)
  }

  /** As `toString`. */
  toJSON(): string {
    return this.toString()
  }

  static {
    setInspection(TransportHost.prototype, (host) => `<TransportHost ${host.toString()}>`)
  }
}

/** A TransportURL, of whichever copy of the library. */
export function isTransportURL(value: unknown): value is TransportURL {
  if (value instanceof TransportURL) return true
  if (typeof value !== 'object' || value === null || !('transport' in value) || !('hosts' in value)) return false
  return typeof value.transport === 'string' && Array.isArray(value.hosts)
}

/** Fields of a TransportURL; only the transport is needed. */
export interface TransportURLFields {
  readonly transport: string
  readonly virtualHost?: string | null | undefined
  readonly hosts?: readonly (TransportHost | TransportHostFields)[] | undefined
  readonly query?: Readonly<Record<string, string>> | undefined
}

const URL_FIELDS: OptionNames<TransportURLFields> = { transport: true, virtualHost: true, hosts: true, query: true }

/** Where a transport connects to: `driver://[user:pass@]host[:port][,...]/vhost?query`. Immutable.
 *  Printing (`inspect`, JSON, errors, `String(url)`) masks credentials; only `toSecretString()` has them. Source:
 *  TransportURL in oslo_messaging/transport.py. */
export class TransportURL {
  /** The whole scheme, lower case, e.g. `kombu+memory`. */
  readonly transport: string
  /** Decoded. null: the URL has none; null and empty both mean the broker's default. */
  readonly virtualHost: string | null
  /** In the order of the text; empty: the driver's default address. Each has its own credentials and takes none from
   *  another. */
  readonly hosts: readonly TransportHost[]
  /** Overrides of the driver's options; repeated keys are joined with commas. */
  readonly query: Readonly<Record<string, string>>

  constructor(fields: TransportURLFields) {
    checkOptions('A transport URL', fields, URL_FIELDS)
    this.transport = fields.transport.toLowerCase()
    this.virtualHost = fields.virtualHost ?? null
    this.hosts = Object.freeze(
      (fields.hosts ?? []).map((host) => (host instanceof TransportHost ? host : new TransportHost(host))),
    )
    this.query = Object.freeze(Object.fromEntries(Object.entries(fields.query ?? {})))
    Object.freeze(this)
  }

  /** Reads a URL. A TransportURL is returned as it is; null and empty text mean `fallback`, usually a config option.
   *  Throws: InvalidTransportURL that names the field and the remedy, without quoting anything that may be a
   *  credential. */
  static parse(text: string | TransportURL | null | undefined, fallback?: string): TransportURL {
    if (text instanceof TransportURL) return text
    if (isTransportURL(text)) return new TransportURL(text)
    const chosen = text || fallback
    if (typeof chosen !== 'string' || chosen === '') {
      throw new InvalidTransportURL(
        '',
        `A transport URL is text such as rabbit://user:password@host:5672/vhost, not ${chosen === '' || chosen === undefined || chosen === null ? 'nothing' : `a value of type ${typeof chosen}`}`,
      )
    }
    return new TransportURL(parseURL(chosen))
  }

  /** What names the driver: the transport without its `+suffix`. */
  get scheme(): string {
    return this.transport.split('+', 1)[0] ?? ''
  }

  /** The URL as people may see it. */
  get redacted(): string {
    return formatRedactedURL(this)
  }

  /** Equal in transport, virtual host and hosts in order; the query does not count. */
  equals(other: TransportURL): boolean {
    return (
      this.transport === other.transport &&
      this.virtualHost === other.virtualHost &&
      this.hosts.length === other.hosts.length &&
      this.hosts.every((host, index) => {
        const theirs = other.hosts[index]
        return theirs !== undefined && host.equals(theirs)
      })
    )
  }

  /** The redacted text, so that a template literal or a log line shows no password. */
  toString(): string {
    return this.redacted
  }

  /** The text that `parse` reads back, as Python writes it. **With the passwords**: for configuration, never for
   *  people. */
  toSecretString(): string {
    return formatURL(this)
  }

  /** The redacted text. */
  toJSON(): string {
    return this.redacted
  }

  static {
    setInspection(TransportURL.prototype, (url) => `<TransportURL ${url.redacted}>`)
  }
}
