import { InvalidTransportURL } from '../errors.ts'
import { unescapePart, unescapeQuery } from './escape.ts'

interface HostFields {
  readonly hostname: string | null
  readonly port: number | null
  readonly username: string | null
  readonly password: string | null
}

/** The parts of a transport URL before they become a `TransportURL`. */
export interface ParsedURL {
  readonly transport: string
  readonly virtualHost: string | null
  readonly hosts: readonly HostFields[]
  readonly query: Readonly<Record<string, string>>
}

const ESCAPE_ADVICE = 'percent-encode any of @ : / ? # , [ ] % in user and password (a / is %2F, an @ is %40)'

/** Reads `driver://[user:pass@]host[:port][,...]/vhost?query`. Not the WHATWG grammar: hosts are a list, invalid
 *  escapes stay as they are.
 *  Throws: InvalidTransportURL, which names the field and never quotes the text, because a malformed URL may have its
 *  password anywhere.
 *  Source: TransportURL.parse (development head). */
export function parseURL(text: string): ParsedURL {
  // Leading blanks and control characters, and tabs and line ends anywhere, are dropped as Python does.
  // oxlint-disable-next-line no-control-regex
  const clean = text.replace(/^[\u0000-\u0020]+/, '').replace(/[\t\r\n]/g, '')
  const scheme = /^([A-Za-z][A-Za-z0-9+.-]*):/.exec(clean)?.[1]
  if (scheme === undefined) {
    throw new InvalidTransportURL(
      '***',
      'No scheme specified: a transport URL begins with the name of its driver, as in rabbit://user:password@host:5672/vhost',
    )
  }
  const transport = scheme.toLowerCase()
  const rest = clean.slice(scheme.length + 1)
  const hash = rest.indexOf('#')
  const beforeFragment = hash < 0 ? rest : rest.slice(0, hash)
  const queryStart = beforeFragment.indexOf('?')
  const address = queryStart < 0 ? beforeFragment : beforeFragment.slice(0, queryStart)
  const { authority, path } = splitAddress(address)
  const problem = (field: string, message: string): InvalidTransportURL =>
    new InvalidTransportURL(`${transport}://***`, `Invalid ${field} in the ${transport} URL: ${message}`)

  if (authority.includes('[') !== authority.includes(']')) {
    throw problem('host', `an IPv6 address needs both brackets, as in [::1]:5672; ${ESCAPE_ADVICE}`)
  }
  // An @ after the hosts is that of the credentials, pushed there by a reserved character in the password. Python goes
  // on, takes the user for a host or the start of the password for a port, and prints both; so this is stricter.
  if (rest.includes('@', authority === '' ? 0 : authority.length + 2)) {
    throw problem(
      'credentials',
      `their @ comes after the end of the hosts; ${ESCAPE_ADVICE}, and an @ elsewhere as %40`,
    )
  }
  const pieces = authority.split(',').filter((piece) => piece !== '')
  return {
    transport,
    virtualHost: path.startsWith('/') ? unescapePart(path.slice(1)) : null,
    hosts: pieces.map((piece, index) => {
      const where = pieces.length > 1 ? ` of host ${index + 1} of ${pieces.length}` : ''
      return parseHost(piece, (field, message) => problem(field + where, message))
    }),
    query: queryStart < 0 ? {} : parseQuery(beforeFragment.slice(queryStart + 1)),
  }
}

function splitAddress(address: string): { authority: string; path: string } {
  if (!address.startsWith('//')) return { authority: '', path: address }
  const slash = address.indexOf('/', 2)
  return slash < 0
    ? { authority: address.slice(2), path: '' }
    : { authority: address.slice(2, slash), path: address.slice(slash) }
}

function parseHost(piece: string, problem: (field: string, message: string) => InvalidTransportURL): HostFields {
  const at = piece.lastIndexOf('@')
  const credentials = at < 0 ? null : piece.slice(0, at)
  const colon = credentials?.indexOf(':') ?? -1
  const username = credentials !== null && colon >= 0 ? credentials.slice(0, colon) : credentials
  return {
    ...parseAddress(piece.slice(at + 1), problem),
    username: username === null ? null : unescapePart(username),
    password: credentials !== null && colon >= 0 ? unescapePart(credentials.slice(colon + 1)) : null,
  }
}

function parseAddress(
  text: string,
  problem: (field: string, message: string) => InvalidTransportURL,
): Pick<HostFields, 'hostname' | 'port'> {
  const bracketed = /^\[([^\]]*)\](.*)$/.exec(text)
  if (text.startsWith('[') && bracketed === null) {
    throw problem('host', `an IPv6 address needs both brackets, as in [::1]:5672; ${ESCAPE_ADVICE}`)
  }
  if (bracketed !== null) {
    const [, hostname = '', rest = ''] = bracketed
    if (rest !== '' && !rest.startsWith(':')) {
      throw problem('host', 'after the closing bracket only a port may follow, as in [::1]:5672')
    }
    return { hostname, port: rest === '' ? null : parsePort(rest.slice(1), problem) }
  }
  // More than one colon is a bare IPv6 address, all of it the host.
  const parts = text.split(':')
  if (parts.length === 2) return { hostname: parts[0] || null, port: parsePort(parts[1] ?? '', problem) }
  return { hostname: text || null, port: null }
}

function parsePort(text: string, problem: (field: string, message: string) => InvalidTransportURL): number {
  const port = /^\d+$/.test(text) ? Number(text) : Number.NaN
  if (!Number.isSafeInteger(port)) {
    throw problem(
      'port',
      `${text === '' ? 'there is a colon but no number; leave both out for the default port' : 'it must be a number such as 5672'}; if the text comes from a password, ${ESCAPE_ADVICE}`,
    )
  }
  return port
}

/** Repeated keys are joined with commas, empty values are dropped. */
function parseQuery(text: string): Record<string, string> {
  const values = new Map<string, string>()
  for (const pair of text.split('&')) {
    const equals = pair.indexOf('=')
    const value = equals < 0 ? '' : unescapeQuery(pair.slice(equals + 1))
    if (value === '') continue
    const key = unescapeQuery(pair.slice(0, equals))
    const earlier = values.get(key)
    values.set(key, earlier === undefined ? value : `${earlier},${value}`)
  }
  return Object.fromEntries(values)
}
