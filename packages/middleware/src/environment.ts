import type { IncomingHttpHeaders } from 'node:http'

/** What is read of a request: Node's own, and so those of Express and of Fastify (`request.raw`). */
export interface HttpRequest {
  readonly method?: string | undefined
  readonly url?: string | undefined
  readonly headers: IncomingHttpHeaders
  readonly httpVersion?: string
  readonly socket?: {
    readonly remoteAddress?: string | undefined
    readonly localAddress?: string | undefined
    readonly localPort?: number | undefined
  }
}

/** A request in the words of CGI, as WSGI has it: `REQUEST_METHOD`, `PATH_INFO`, `HTTP_USER_AGENT`, ... */
export type Environment = Readonly<Record<string, string>>

/** Headers that let who reads them act as somebody. oslo's middleware leaves out the first one alone. */
const SECRET: ReadonlySet<string> = new Set([
  'x-auth-token',
  'x-service-token',
  'x-subject-token',
  'x-storage-token',
  'authorization',
  'proxy-authorization',
  'cookie',
  'set-cookie',
])

/** The environment of a request, without secrets; `HTTP_X_SERVICE_NAME` is the service's name, else the host. */
export function environmentOf(request: HttpRequest, serviceName: string | undefined): Environment {
  const { method = '', url = '/', headers, httpVersion = '1.1', socket } = request
  const [path = ''] = url.split('?', 1)
  const query = url.slice(path.length + 1)
  const environment = new Map([
    ['REQUEST_METHOD', method],
    ['PATH_INFO', path],
    ['QUERY_STRING', query],
    ['SERVER_PROTOCOL', `HTTP/${httpVersion}`],
  ])
  const set = (name: string, value: string | number | undefined): void => {
    if (value !== undefined) environment.set(name, String(value))
  }
  set('REMOTE_ADDR', socket?.remoteAddress)
  set('SERVER_NAME', socket?.localAddress)
  set('SERVER_PORT', socket?.localPort)
  for (const [name, value] of Object.entries(withoutSecrets(headers))) {
    const upper = name.toUpperCase().replaceAll('-', '_')
    set(upper === 'CONTENT_TYPE' || upper === 'CONTENT_LENGTH' ? upper : `HTTP_${upper}`, value)
  }
  set('HTTP_X_SERVICE_NAME', serviceName ?? headers.host ?? '')
  return Object.fromEntries(environment)
}

/** Headers without those that are secrets; repeated ones are joined. */
export function withoutSecrets(headers: Readonly<Record<string, unknown>>): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(headers).flatMap(([name, value]) => {
      if (value === undefined || SECRET.has(name.toLowerCase())) return []
      return [[name, Array.isArray(value) ? value.join(', ') : `${value as string | number}`]]
    }),
  )
}
