import { InvalidTransportURL } from '../src/errors.ts'
import { NotificationFilter, type NotificationFilterRules } from '../src/notify/filter.ts'
import { RoutingRules } from '../src/notify/routing-rules.ts'
import { isVersionCompatible } from '../src/rpc/version.ts'
import { TransportURL } from '../src/url/transport-url.ts'
import { loadVector } from './vectors.ts'

/** One row of a table that Python computed. */
export interface UnitRow {
  readonly title: string
  /** The same, here; `{ error }` with the class of what was thrown. */
  readonly compute: () => unknown
  readonly python: unknown
  /** What is wanted here, where that is not what Python has. */
  readonly here?: unknown
}

/** The tables of this package by their file name without `.json`. */
export const unitTables: Readonly<Record<string, readonly UnitRow[]>> = {
  'unit-version-compat': rows('unit-version-compat', ({ implemented, requested, compatible }: VersionCase) => ({
    title: `${implemented} serves ${requested}: ${JSON.stringify(compatible)}`,
    compute: outcomeOf(() => isVersionCompatible(implemented, requested)),
    python: compatible,
    ...(typeof compatible === 'boolean' ? {} : { here: { error: 'ValueError' } }),
  })),
  'unit-notification-filter': rows('unit-notification-filter', (one: FilterCase) => ({
    title: JSON.stringify({ ...one.rule, ...one.overrides }),
    compute: outcomeOf(() => match(one)),
    python: one.match,
    // L8: rules for fields of something without fields.
    ...(typeof one.match === 'boolean' ? {} : { here: { error: 'TypeError' } }),
  })),
  'unit-notification-routing': rows('unit-notification-routing', (one: RoutingCase, row) => ({
    title: `row ${row}: of ${Object.keys(one.group).join(',')}, ${one.event_type} ${one.priority} goes where Python sends it`,
    compute: () => [...RoutingRules.from({ group: one.group }).driversFor(one.event_type, one.priority)].toSorted(),
    python: one.drivers,
  })),
  // What 14.0.3 had otherwise is in the rows too; the newest counts.
  'unit-transport-url': rows(
    'unit-transport-url',
    ({ url, error, transport, virtual_host, hosts, query, str }: UrlCase) => ({
      title: `T1 form - ${url}`,
      compute: outcomeOf(() => fieldsOf(TransportURL.parse(url, 'rabbit://'))),
      python: error === undefined ? { transport, virtual_host, hosts, query, str } : { error },
      ...(error === undefined ? {} : { here: { error: InvalidTransportURL.name } }),
    }),
  ),
}

function rows(name: string, read: (one: never, row: number) => UnitRow): readonly UnitRow[] {
  return (loadVector(name) as { readonly cases: readonly never[] }).cases.map(read)
}

function outcomeOf(compute: () => unknown): () => unknown {
  return () => {
    try {
      return compute()
    } catch (error) {
      return { error: error instanceof Error ? error.name : String(error) }
    }
  }
}

interface Failure {
  readonly error: string
}

interface VersionCase {
  readonly implemented: string | null
  readonly requested: string | null
  readonly compatible: boolean | Failure
}

interface RoutingCase {
  readonly group: Readonly<Record<string, unknown>>
  readonly event_type: string
  readonly priority: string
  readonly drivers: readonly string[]
}

interface UrlCase {
  readonly url: string
  readonly error?: string
  readonly transport?: string
  readonly virtual_host?: string | null
  readonly hosts?: readonly object[]
  readonly query?: Readonly<Record<string, string>>
  readonly str?: string
}

function fieldsOf(url: TransportURL): object {
  const { transport, virtualHost, query } = url
  const hosts = url.hosts.map(({ hostname, port, username, password }) => ({ hostname, port, username, password }))
  const str = url.toSecretString()
  // What it prints is read as the same.
  if (TransportURL.parse(str).toSecretString() !== str) throw new Error(`${str} is not read as it is printed`)
  return { transport, virtual_host: virtualHost, hosts, query: { ...query }, str }
}

interface FilterCase {
  readonly rule: {
    readonly publisher_id?: string
    readonly event_type?: string
    readonly context?: Record<string, string>
    readonly metadata?: Record<string, string>
    readonly payload?: Record<string, string>
  }
  readonly overrides?: Readonly<Record<string, unknown>>
  readonly match: boolean | Failure
}

/** The message the filter table was computed with. */
const MESSAGE = {
  context: { tenant: 'abc', n: 5 },
  publisher_id: 'compute.host1',
  event_type: 'compute.instance.create.end',
  metadata: { message_id: 'x', timestamp: '2026-01-01 10:00:00' },
  payload: { state: 'active', num: 3, list: ['x'] },
}

function match({ rule, overrides }: FilterCase): boolean {
  const { publisher_id: publisherId, event_type: eventType, ...fields } = rule
  const rules: NotificationFilterRules = {
    ...fields,
    ...(publisherId === undefined ? {} : { publisherId }),
    ...(eventType === undefined ? {} : { eventType }),
  }
  const message = { ...MESSAGE, ...overrides }
  const filter = new NotificationFilter(rules)
  return filter.match(message.context, message.publisher_id, message.event_type, message.metadata, message.payload)
}
