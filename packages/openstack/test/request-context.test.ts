import { getRpcClient, getRpcServer, getRpcTransport, getNotificationTransport, Notifier } from '@oslo-messaging/core'
import { createMemoryDriver, createRecorder } from '@oslo-messaging/core/testing'
import { inspect } from 'node:util'
import { describe, expect, it } from 'vitest'
import { RequestContext, RequestContextSerializer } from '../src/index.ts'
import vectors from './vectors/contexts.json' with { type: 'json' }

type Values = Readonly<Record<string, unknown>>

/** `user_id` to `userId`. */
const camelCase = (name: string): string => name.replaceAll(/_(\w)/g, (_all, letter: string) => letter.toUpperCase())
const camelCased = (values: Values): Values =>
  Object.fromEntries(Object.entries(values).map(([name, value]) => [camelCase(name), value]))

/** `HTTP_X_USER_ID` to `x-user-id`. */
const headersOf = (environ: Readonly<Record<string, string | undefined>>): Record<string, string | undefined> =>
  Object.fromEntries(
    Object.entries(environ).map(([name, value]) => [
      name
        .replace(/^HTTP_/, '')
        .toLowerCase()
        .replaceAll('_', '-'),
      value,
    ]),
  )

function expectLike(context: RequestContext, vector: Values): void {
  expect(context.toDict()).toEqual(vector['dict'])
  expect(context.toLoggingValues()).toEqual(vector['logging'])
  expect(context.redactedCopy().toDict()).toEqual(vector['redacted'])
  expect(context.redactedCopy().toLoggingValues()).toEqual(vector['redacted_logging'])
}

describe('a request context, as oslo.context 6.5.0 writes it', () => {
  it.each(vectors.made)('made: $name', (vector) => expectLike(new RequestContext(camelCased(vector.kwargs)), vector))
  it.each(vectors.from_dict)('from a dictionary: $name', (vector) =>
    expectLike(RequestContext.fromDict(vector.values), vector),
  )
  it.each(vectors.from_environ)('from headers: $name', (vector) =>
    expectLike(RequestContext.fromHeaders(headersOf(vector.environ), { requestId: 'req-e' }), vector),
  )
})

describe('a request context of another service', () => {
  const nova = {
    user_id: 'u-1',
    user: 'ignored',
    project_id: 'p-1',
    domain: 'd-1',
    read_deleted: 'no',
    service_catalog: [{ type: 'volumev3' }],
    roles: ['admin'],
    request_id: 'req-1',
    auth_token: 'secret-token',
  }

  it('keeps what only that service knows, and sends it on', () => {
    const context = RequestContext.fromDict(nova)
    expect(context).toMatchObject({ userId: 'u-1', domainId: 'd-1' })
    expect(context.extra).toEqual({ read_deleted: 'no', service_catalog: [{ type: 'volumev3' }] })
    expect(context.toJSON()).toMatchObject({ user: 'u-1', user_id: 'u-1', domain_id: 'd-1', read_deleted: 'no' })
  })

  it('a field of a wrong kind does not fail the request, and stays reachable', () => {
    const context = RequestContext.fromDict({ ...nova, roles: 'admin', is_admin: 'yes' })
    expect(context).toMatchObject({ roles: [], isAdmin: false })
    expect(context.extra).toMatchObject({ roles: 'admin', is_admin: 'yes' })
  })

  it('prints no token and no catalog', () => {
    const text = inspect(RequestContext.fromDict({ ...nova, service_catalog: 'secret-catalog' }))
    expect(text).toContain('u-1')
    expect(text).not.toMatch(/secret/)
  })
})

it('calls carry the context whole, notifications without tokens and catalog', async () => {
  const recorder = createRecorder()
  const driver = createMemoryDriver({ recorder })
  const registry = { resolve: async () => driver }
  const serializer = new RequestContextSerializer()
  const transport = await getRpcTransport({ url: 'memory://', registry })
  const seen: unknown[] = []
  const server = getRpcServer(
    transport,
    { topic: 't', server: 's' },
    { go: (context: object) => void seen.push(context) },
    { serializer },
  )
  await server.start()
  const context = new RequestContext({ userId: 'u', authToken: 'token', extra: { service_catalog: [] } })
  await getRpcClient(transport, { topic: 't' }, { serializer }).call(context, 'go')
  expect(seen[0]).toBeInstanceOf(RequestContext)
  expect(seen[0]).toEqual(context)

  const bus = await getNotificationTransport({ url: 'memory://', registry })
  await new Notifier(bus, { driver: 'messagingv2', serializer }).info(context, 'e', {})
  const [sent] = recorder.notifications()
  expect(sent?.context).toMatchObject({ user: 'u', user_id: 'u', auth_token: null })
  expect(sent?.context).not.toHaveProperty('service_catalog')
  await bus.close()
  await transport.close()
})
