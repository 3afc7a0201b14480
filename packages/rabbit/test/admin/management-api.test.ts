import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { type AddressInfo, createServer as createTcpServer, type Server } from 'node:net'
import { Deadline } from '@oslo-messaging/core/driver'
import { afterEach, describe, expect, it } from 'vitest'
import { listQueues } from '../../src/admin/queues.ts'
import type { ManagementPlace } from '../../src/admin/management-api.ts'

const servers: Server[] = []
afterEach(() => {
  for (const server of servers.splice(0)) server.close()
})

async function listening(server: Server, host = '127.0.0.1'): Promise<number> {
  servers.push(server)
  await once(server.listen(0, host), 'listening')
  return (server.address() as AddressInfo).port
}

/** An HTTP server in the place of the broker's; resolves with its base URL. */
async function http(answer: (request: IncomingMessage, response: ServerResponse) => void): Promise<string> {
  return `http://127.0.0.1:${await listening(createServer(answer))}`
}

const HOST = { hostname: '127.0.0.1', port: 5672, username: 'user', password: 'url-secret' } as const

function place(changes: Partial<ManagementPlace>): ManagementPlace {
  const deadline = Deadline.after(5000)
  return { hosts: [HOST], virtualHost: 'a/b', tls: undefined, management: null, deadline, ...changes }
}

describe('the management interface', () => {
  it('P24 - asks for the queues of the virtual host with the credentials of the URL, below the path of the address', async () => {
    const asked: string[] = []
    const management = await http((request, response) => {
      asked.push(request.url ?? '')
      expect(request.headers.authorization).toBe(`Basic ${Buffer.from('user:url-secret').toString('base64')}`)
      if (request.url?.startsWith('/rabbit/api/queues') === true)
        response.end(
          JSON.stringify([
            { name: 'billing', messages: 5, message_bytes: 9000, consumers: 0, arguments: { 'x-expires': 5000 } },
            { name: 'new' },
          ]),
        )
      else if (request.url?.startsWith('/rabbit/api/bindings') === true)
        response.end(
          JSON.stringify([
            { source: '', destination: 'new', destination_type: 'queue', routing_key: 'new.info' },
            { source: 'openstack', destination: 'billing', destination_type: 'queue', routing_key: 'n.info' },
          ]),
        )
      else response.end('{}')
    })
    await expect(listQueues(place({ management: `${management}/rabbit/` }))).resolves.toEqual([
      {
        name: 'billing',
        messages: 5,
        bytes: 9000,
        consumers: 0,
        orphan: true,
        why: expect.stringMatching(/^a pool .* after 5 s without use$/) as string,
      },
      { name: 'new', messages: 0, bytes: null, consumers: 0, orphan: false, why: 'nobody reads it, and it is empty' },
    ])
    expect(asked).toEqual([
      '/rabbit/api/whoami',
      expect.stringMatching(/^\/rabbit\/api\/queues\/a%2Fb\?columns=/),
      '/rabbit/api/bindings/a%2Fb',
    ])
  })

  it('credentials in its address are used instead, and never printed', async () => {
    const management = await http((request, response) => {
      expect(request.headers.authorization).toBe(`Basic ${Buffer.from('me:other/secret').toString('base64')}`)
      response.writeHead(401).end()
    })
    const error: unknown = await listQueues(
      place({ management: management.replace('http://', 'http://me:other%2Fsecret@') }),
    ).catch((reason: unknown) => reason)
    expect(error).toMatchObject({ code: 'OSLO_MESSAGING_AUTHENTICATION', brokerCode: 401 })
    expect(String(error)).toMatch(/refuses this user.*set_user_tags/)
    expect(JSON.stringify(error) + String(error)).not.toMatch(/secret/)
  })

  it.each([
    { status: 404, body: '{"error":"Object Not Found"}', code: 'CONFIGURATION', says: /no virtual host a\/b/ },
    { status: 404, body: 'nginx', code: 'DRIVER', says: /answers with status 404.*--management URL/ },
    { status: 200, body: '<html>', code: 'DRIVER', says: /answers without JSON.*--management URL/ },
    { status: 403, body: '{}', code: 'AUTHENTICATION', says: /set_user_tags/ },
  ])('status $status with $body - says what to do', async ({ status, body, code, says }) => {
    const management = await http((_request, response) => response.writeHead(status).end(body))
    const error: unknown = await listQueues(place({ management })).catch((reason: unknown) => reason)
    expect(error).toMatchObject({ code: `OSLO_MESSAGING_${code}` })
    expect(String(error)).toMatch(says)
  })

  it('a broker that is up without the plugin is told from one that is down', async () => {
    // An address of this machine on which nobody else listens.
    const up = { ...HOST, hostname: '127.0.8.9', port: await listening(createTcpServer(), '127.0.8.9') }
    await expect(listQueues(place({ hosts: [up] }))).rejects.toThrow(/The broker is up.*rabbitmq-plugins enable/)
    const down = { ...HOST, hostname: '127.0.8.10', port: 1 }
    await expect(listQueues(place({ hosts: [down] }))).rejects.toThrow(/cannot be reached \(ECONNREFUSED\).*is up/)
  })

  it('an address that is none', async () => {
    await expect(listQueues(place({ management: 'rabbit1:15672' }))).rejects.toThrow(/URL such as http:\/\/host:15672/)
  })

  it('a password with a % that begins no code is named, and does not throw past the caller', async () => {
    const bad = 'http://me:50%25@host:15672'.replace('%25', '%')
    await expect(listQueues(place({ management: bad }))).rejects.toMatchObject({
      code: 'OSLO_MESSAGING_CONFIGURATION',
      message: expect.stringMatching(/write it as %25/) as string,
    })
  })

  it('an answer without end is given up at 64 MiB', async () => {
    const management = await http((request, response) => {
      if (request.url === '/api/whoami') return response.end('{}')
      const piece = Buffer.alloc(1024 * 1024, 0x20)
      const more = (): void => {
        while (!response.destroyed && response.write(piece));
      }
      response.on('drain', more).on('error', () => {})
      more()
      return response
    })
    await expect(listQueues(place({ management, deadline: Deadline.after(15_000) }))).rejects.toThrow(
      /larger than \d+ bytes/,
    )
  })

  it('one that never answers ends at the deadline', async () => {
    const management = await http(() => {})
    await expect(listQueues(place({ management, deadline: Deadline.after(100) }))).rejects.toMatchObject({
      code: 'OSLO_MESSAGING_TIMEOUT',
      message: expect.stringMatching(/answer of the management interface/) as string,
    })
    for (const server of servers)
      if ('closeAllConnections' in server) (server as { closeAllConnections(): void }).closeAllConnections()
  })
})
