import { MessagingError } from '@oslo-messaging/core'
import { ACTIONS, RESOURCE_TYPES } from './taxonomy.ts'

/** A value is no event of CADF. `field` is the path of what is wrong, `event.initiator.host.address`; `raw` is the
 *  whole value. It stays out of prints and logs, because audit events say who did what. */
export class CadfMismatch extends MessagingError {
  readonly field: string
  readonly raw!: unknown
  constructor(field: string, problem: string, raw: unknown) {
    super('CADF_MISMATCH', `${field}: ${problem}`)
    this.field = field
    Object.defineProperty(this, 'raw', { value: raw, enumerable: false })
  }
}

/** What is wrong with a value, as path and problem; undefined: nothing. */
type Check = (value: unknown, path: string) => Complaint | undefined
type Complaint = readonly [path: string, problem: string]
type Fields = Readonly<Record<string, unknown>>

const text: Check = (value, path) => (typeof value === 'string' ? undefined : [path, 'it must be text'])
const identifier: Check = (value, path) =>
  typeof value === 'string' && value !== '' ? undefined : [path, 'it must be a text that is not empty']
const anything: Check = () => undefined
const oneOf =
  (...values: readonly string[]): Check =>
  (value, path) =>
    values.some((each) => each === value) ? undefined : [path, `it must be one of ${values.join(', ')}`]
const beginning =
  (values: readonly string[]): Check =>
  (value, path) =>
    typeof value === 'string' && values.some((each) => value.startsWith(each))
      ? undefined
      : [path, `it must begin with one of ${values.join(', ')}`]
const list =
  (check: Check): Check =>
  (value, path) =>
    Array.isArray(value)
      ? first(value.map((each, index) => check(each, `${path}[${index}]`)))
      : [path, 'it must be a list']

interface Rules {
  readonly all?: readonly string[]
  /** Of each pair exactly one. */
  readonly either?: readonly (readonly [string, string])[]
}

/** Fields beside those of the table are left alone: OpenStack adds some. */
const shape =
  (table: Readonly<Record<string, Check>>, { all = [], either = [] }: Rules = {}): Check =>
  (value, path) => {
    if (!isFields(value)) return [path, 'it must be an object']
    const has = (name: string): boolean => Object.hasOwn(value, name) && value[name] !== undefined
    return first([
      ...all.map((name): Complaint | undefined => (has(name) ? undefined : [`${path}.${name}`, 'it is missing'])),
      ...either.map(([one, other]): Complaint | undefined =>
        has(one) === has(other)
          ? [`${path}.${one}`, `either this or ${other} must be there${has(one) ? ', and not both' : ''}`]
          : undefined,
      ),
      ...Object.entries(table).map(([name, check]) => (has(name) ? check(value[name], `${path}.${name}`) : undefined)),
    ])
  }

const attachment = shape({ typeURI: text, content: anything, name: text }, { all: ['typeURI', 'content', 'name'] })
const describedResource = shape(
  {
    id: identifier,
    typeURI: beginning(RESOURCE_TYPES),
    name: text,
    ref: text,
    domain: text,
    credential: shape({ token: text, type: text }, { all: ['token'] }),
    host: shape({ id: identifier, address: text, agent: text, platform: text }),
    geolocation: shape({
      id: identifier,
      latitude: text,
      longitude: text,
      elevation: text,
      accuracy: text,
      city: text,
      state: text,
      regionICANN: text,
    }),
    geolocationId: identifier,
    addresses: list(shape({ url: text, name: text, port: text }, { all: ['url'] })),
    attachments: list(attachment),
  },
  { all: ['id'] },
)

const resource: Check = (value, path) => {
  const complaint = describedResource(value, path)
  if (complaint !== undefined || !isFields(value) || value['typeURI'] !== undefined) return complaint
  if (isReference(value['id']) && Object.keys(value).length === 1) return undefined
  return [`${path}.typeURI`, 'it is missing']
}

/** Whether that id stands for another resource of the event. */
export function isReference(id: unknown): boolean {
  return id === 'target' || id === 'initiator'
}

/** Everywhere but in its own place, a resource may be the word for that place. */
const resourceBut =
  (word: string): Check =>
  (value, path) =>
    resource(value, path) ??
    (isFields(value) && value['id'] === word ? [`${path}.id`, `${word} cannot stand for itself`] : undefined)

const reason: Check = (value, path) => {
  const has = (...names: readonly string[]): boolean =>
    names.every((name) => isFields(value) && Object.hasOwn(value, name))
  const complaint = shape({ reasonType: text, reasonCode: text, policyType: text, policyId: text })(value, path)
  if (complaint !== undefined || has('reasonType', 'reasonCode') || has('policyType', 'policyId')) return complaint
  return [path, 'it needs reasonType and reasonCode, or policyType and policyId']
}

const event = shape(
  {
    typeURI: text,
    eventType: oneOf('activity', 'monitor', 'control'),
    id: identifier,
    eventTime: text,
    action: beginning(ACTIONS),
    outcome: oneOf('success', 'failure', 'pending', 'unknown'),
    initiator: resourceBut('initiator'),
    initiatorId: identifier,
    target: resourceBut('target'),
    targetId: identifier,
    observer: resource,
    observerId: identifier,
    name: text,
    severity: text,
    reason,
    measurements: list(
      shape(
        {
          metric: shape({ metricId: identifier, unit: text, name: text }, { all: ['metricId'] }),
          metricId: identifier,
          calculatedBy: resource,
        },
        { all: ['result'], either: [['metric', 'metricId']] },
      ),
    ),
    tags: list(text),
    attachments: list(attachment),
    reporterchain: list(
      shape(
        {
          role: oneOf('observer', 'modifier', 'relay'),
          reporterTime: text,
          reporter: resource,
          reporterId: identifier,
        },
        { all: ['role'], either: [['reporter', 'reporterId']] },
      ),
    ),
    requestPath: text,
  },
  {
    all: ['typeURI', 'eventType', 'id', 'eventTime', 'action', 'outcome'],
    either: [
      ['initiator', 'initiatorId'],
      ['target', 'targetId'],
      ['observer', 'observerId'],
    ],
  },
)

/** Throws CadfMismatch for what pyCADF would refuse. */
export function check(value: unknown): void {
  const complaint = event(value, 'event')
  if (complaint !== undefined) throw new CadfMismatch(...complaint, value)
}

function first(complaints: readonly (Complaint | undefined)[]): Complaint | undefined {
  return complaints.find((each) => each !== undefined)
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
