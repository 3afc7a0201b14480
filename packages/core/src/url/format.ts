import { escapePart, escapeQuery } from './escape.ts'
import type { TransportHost, TransportURL } from './transport-url.ts'

/** What is printed in place of a secret. */
export const MASK = '***'
const SECRET_KEY = /pass|secret|token|credential/i

/** What `format` reads. */
type URLParts = Pick<TransportURL, 'transport' | 'virtualHost' | 'hosts' | 'query'>

/** The URL as text that `parse` reads back into an equal value. Contains the passwords: it is for the wire and for
 *  config, never for people.
 *  Shape: user and password escaped, virtual host escaped except `/`, ports if set, always a `/` after the hosts.
 *  Source: TransportURL.__str__. */
export function formatURL(url: URLParts): string {
  return assemble(
    url,
    (host) => (host.password === null ? null : escapePart(host.password)),
    (value) => escapeQuery(value),
  )
}

/** The URL as people may see it: passwords are `***`, so are query values whose key says that they are secret.
 *  When credentials were probably misread, because a comma in a password was not escaped, nothing but the scheme is
 *  shown. */
export function formatRedactedURL(url: URLParts): string {
  if (looksMisread(url)) return `${url.transport}://${MASK}`
  return assemble(
    url,
    (host) => (host.password === null ? null : MASK),
    (value, key) => (SECRET_KEY.test(key) ? MASK : escapeQuery(value)),
  )
}

/** `password` and `queryValue` give the text to print, already escaped. */
function assemble(
  url: URLParts,
  password: (host: TransportHost) => string | null,
  queryValue: (value: string, key: string) => string,
): string {
  const query = Object.entries(url.query).map(([key, value]) => `${escapeQuery(key)}=${queryValue(value, key)}`)
  const hosts = url.hosts.map((host) => formatHost(host, password(host)))
  const path = url.virtualHost ? escapePart(url.virtualHost, '/') : ''
  return `${url.transport}://${hosts.join(',')}/${path}${query.length > 0 ? `?${query.join('&')}` : ''}`
}

/** One `user:password@host:port`; the password's text is given, escaped or masked. */
export function formatHost(host: TransportHost, passwordText: string | null): string {
  const credentials =
    host.username === null && passwordText === null
      ? ''
      : `${escapePart(host.username ?? '')}${passwordText === null ? '' : `:${passwordText}`}@`
  const name = host.hostname ?? ''
  return `${credentials}${name.includes(':') ? `[${name}]` : name}${host.port === null ? '' : `:${host.port}`}`
}

/** An unescaped `,` in a password makes two hosts of one: one without credentials before one with them, or one that has
 *  a user only. */
function looksMisread({ hosts }: URLParts): boolean {
  const firstBare = hosts.findIndex((host) => host.username === null)
  const someBareFirst = firstBare >= 0 && hosts.slice(firstBare).some((host) => host.username !== null)
  const someUserOnly = hosts.some((host) => host.username !== null && host.password === null)
  return someBareFirst || (someUserOnly && hosts.some((host) => host.password !== null))
}
