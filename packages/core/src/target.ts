import { InvalidTarget } from './errors.ts'
import { kindOf } from './util/check.ts'
import { setInspection } from './util/inspect.ts'

/** Fields of a Target; all optional. null and absent mean the same. */
export interface TargetFields {
  /** Scope of the topic. Absent: the transport's `control_exchange`. */
  readonly exchange?: string | null | undefined
  /** Name of the interface servers offer; servers of one topic share its requests. */
  readonly topic?: string | null | undefined
  /** Which of a server's endpoints is meant. */
  readonly namespace?: string | null | undefined
  /** Version of the interface, `major.minor`. */
  readonly version?: string | null | undefined
  /** One server of the topic. */
  readonly server?: string | null | undefined
  /** Every server of the topic; beats `server`. */
  readonly fanout?: boolean | null | undefined
  /** Namespaces an endpoint takes besides its own. */
  readonly legacyNamespaces?: readonly (string | null)[] | null | undefined
}

/** Where a message goes, or what a server or endpoint answers to. Immutable.
 *  RPC server: topic and server. Endpoint: namespace, version. Client: topic. Notifier and listener: topic.
 *  Source: oslo_messaging/target.py. */
export class Target {
  readonly exchange: string | null
  readonly topic: string | null
  readonly namespace: string | null
  readonly version: string | null
  readonly server: string | null
  readonly fanout: boolean | null
  /** The endpoint's own namespace, null included, then the legacy ones. */
  readonly acceptedNamespaces: readonly (string | null)[]

  /** Throws InvalidTarget that names the field with a value it cannot have, or the name that is no field. */
  constructor(fields: TargetFields = {}) {
    checkFields(fields)
    this.exchange = fields.exchange ?? null
    this.topic = fields.topic ?? null
    this.namespace = fields.namespace ?? null
    this.version = fields.version ?? null
    this.server = fields.server ?? null
    this.fanout = fields.fanout ?? null
    this.acceptedNamespaces = Object.freeze([this.namespace, ...(fields.legacyNamespaces ?? [])])
    Object.freeze(this)
  }

  /** A copy with the given fields changed; null clears, undefined or leaving out keeps. Legacy namespaces are not
   *  copied, as in oslo. */
  with(changes: TargetFields): Target {
    const given = Object.entries(changes).filter(([, value]) => value !== undefined)
    return new Target({ ...this.#fields(), ...Object.fromEntries(given) })
  }

  /** Equal in every field. */
  equals(other: Target): boolean {
    const mine = this.#fields()
    const theirs = other.#fields()
    return (
      (Object.keys(mine) as (keyof typeof mine)[]).every((field) => mine[field] === theirs[field]) &&
      this.acceptedNamespaces.length === other.acceptedNamespaces.length &&
      this.acceptedNamespaces.every((namespace, index) => namespace === other.acceptedNamespaces[index])
    )
  }

  /** `<Target topic=t, server=s>`: the fields that are set, in oslo's order. */
  toString(): string {
    const set = Object.entries(this.#fields()).filter(([, value]) => value !== null && value !== false && value !== '')
    return `<Target ${set.map(([name, value]) => `${name}=${value === true ? 'True' : String(value)}`).join(', ')}>`
  }

  static {
    setInspection(Target.prototype, String)
  }

  #fields() {
    const { exchange, topic, namespace, version, server, fanout } = this
    return { exchange, topic, namespace, version, server, fanout }
  }
}

const TEXT_FIELDS: ReadonlySet<string> = new Set(['exchange', 'topic', 'namespace', 'version', 'server'])

function checkFields(fields: unknown): void {
  const refuse = (message: string): never => {
    throw new InvalidTarget(message, '<Target >')
  }
  if (typeof fields !== 'object' || fields === null)
    return refuse(`A target is made of fields such as { topic: 'compute' }, not of ${kindOf(fields)}`)
  for (const [name, value] of Object.entries(fields) as [string, unknown][]) {
    if (value === undefined || value === null) continue
    if (TEXT_FIELDS.has(name)) {
      if (typeof value !== 'string') refuse(`${name} of a target must be text, not ${kindOf(value)}`)
    } else if (name === 'fanout') {
      if (typeof value !== 'boolean') refuse(`fanout of a target must be true or false, not ${kindOf(value)}`)
    } else if (name === 'legacyNamespaces') {
      if (!Array.isArray(value) || !value.every((each) => each === null || typeof each === 'string'))
        refuse(`legacyNamespaces of a target must be a list of names, not ${kindOf(value)}`)
    } else if (name !== 'acceptedNamespaces') {
      // That one is in the copies made by spreading a target.
      refuse(
        `${name} is no field of a target: exchange, topic, namespace, version, server, fanout, legacyNamespaces are`,
      )
    }
  }
}
