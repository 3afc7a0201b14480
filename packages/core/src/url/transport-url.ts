/** One broker address of a transport URL. Placeholder body: see INVENTORY T1 to T16. */
export class TransportHost {
  readonly hostname: string | null
  readonly port: number | null
  readonly username: string | null
  readonly password: string | null
  constructor(
    fields: { hostname?: string | null; port?: number | null; username?: string | null; password?: string | null } = {},
  ) {
    this.hostname = fields.hostname ?? null
    this.port = fields.port ?? null
    this.username = fields.username ?? null
    this.password = fields.password ?? null
  }
}

export interface TransportURLFields {
  readonly transport: string
  readonly virtualHost?: string | null
  readonly hosts?: readonly TransportHost[]
  readonly query?: Readonly<Record<string, string>>
}

export class TransportURL {
  readonly transport: string
  readonly virtualHost: string | null
  readonly hosts: readonly TransportHost[]
  readonly query: Readonly<Record<string, string>>
  constructor(fields: TransportURLFields) {
    this.transport = fields.transport
    this.virtualHost = fields.virtualHost ?? null
    this.hosts = fields.hosts ?? []
    this.query = fields.query ?? {}
  }
  static parse(_text: string): TransportURL {
    throw new Error('being written')
  }
}
