import { createDriverRegistry, type DriverSource, isMessagingError, type MessagingConfig } from '@oslo-messaging/core'
import { CORE_FRAGMENTS, type ConfigFragment, TransportURL } from '@oslo-messaging/core/driver'
import type { Io } from '../io.ts'
import { errorText } from '../text/error-text.ts'

/** A group of options with the query that goes over it, when one of the transport URLs has one. */
export interface KnownGroup {
  readonly fragment: ConfigFragment
  readonly query: Readonly<Record<string, string>>
}

/** What cannot be used, found while the groups were looked for. */
export interface GroupProblem {
  readonly where: string
  readonly text: string
}

const KNOWN_SCHEMES = ['rabbit', 'amqp', 'kafka', 'nats', 'redis']

/** The groups of core and of every driver that is installed, those of `conf`'s URLs with their queries. A driver that a
 *  URL needs and that is not there is a problem; others are left out. */
export async function findGroups(
  conf: MessagingConfig | undefined,
  io: Io,
): Promise<{ readonly groups: readonly KnownGroup[]; readonly problems: readonly GroupProblem[] }> {
  const registry = await registryOf(io)
  const problems: GroupProblem[] = []
  const used = new Map<string, Readonly<Record<string, string>>>()
  for (const { where, text } of conf === undefined ? [] : urlsOf(conf)) {
    try {
      const url = TransportURL.parse(text)
      if (!used.has(url.scheme)) used.set(url.scheme, url.query)
    } catch (error) {
      problems.push({ where, text: errorText(error) })
    }
  }
  const groups = new Map<string, KnownGroup>(
    CORE_FRAGMENTS.map((fragment) => [fragment.group, { fragment, query: {} }]),
  )
  for (const scheme of new Set([...used.keys(), ...KNOWN_SCHEMES])) {
    try {
      const { config: fragment } = await registry.resolve(scheme)
      if (fragment !== undefined && !groups.has(fragment.group))
        groups.set(fragment.group, { fragment, query: used.get(scheme) ?? {} })
    } catch (error) {
      if (!isMessagingError(error, 'DRIVER_LOAD')) throw error
      if (used.has(scheme)) problems.push({ where: 'transport_url', text: error.message })
    }
  }
  return { groups: [...groups.values()], problems }
}

/** The transport URLs of a configuration, with the names of their options. */
export function urlsOf(conf: MessagingConfig): readonly { readonly where: string; readonly text: string }[] {
  const own = conf.get('oslo_messaging_notifications', 'transport_url')
  const first = { where: '[DEFAULT] transport_url', text: conf.get('DEFAULT', 'transport_url') }
  if (own === null || own === '') return [first]
  return [first, { where: '[oslo_messaging_notifications] transport_url', text: own }]
}

/** The transport URL of notifications: their own, or that of `[DEFAULT]`. */
export function notificationsUrlOf(conf: MessagingConfig): string {
  return urlsOf(conf).at(-1)?.text ?? ''
}

/** Where drivers come from: what the program was given, or installed packages. */
export async function registryOf(io: Io): Promise<DriverSource> {
  if (io.registry !== undefined) return io.registry
  const { memoryDriver } = await import('@oslo-messaging/core/testing')
  return createDriverRegistry({ drivers: [memoryDriver], discover: true })
}
