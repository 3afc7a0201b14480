import { describe, expect, it } from 'vitest'

import { formatUrl } from '../src/broker.ts'
import { fromEnvironment } from '../src/environment.ts'

const HOSTS = [
  { host: '127.0.0.1', port: 1 },
  { host: '127.0.0.1', port: 2 },
]

describe('a transport URL', () => {
  const guest = { scheme: 'rabbit', user: 'guest', password: 'guest' }
  it.each([
    ['credentials at every host', formatUrl(guest, HOSTS), 'rabbit://guest:guest@127.0.0.1:1,guest:guest@127.0.0.1:2/'],
    ['none', formatUrl({ scheme: 'kafka' }, HOSTS), 'kafka://127.0.0.1:1,127.0.0.1:2/'],
    [
      'a virtual host and a user that need encoding',
      formatUrl(guest, HOSTS.slice(0, 1), { vhost: 'a/b c', user: 'u@x', password: 'p:w' }),
      'rabbit://u%40x:p%3Aw@127.0.0.1:1/a%2Fb%20c',
    ],
    [
      'a proxy instead',
      formatUrl(guest, HOSTS, { via: [{ host: '127.0.0.1', port: 9 }] }),
      'rabbit://guest:guest@127.0.0.1:9/',
    ],
  ])('has %s', (_, url, expected) => {
    expect(url).toBe(expected)
  })
})

describe('a broker named by the environment', () => {
  it.each([
    [
      'rabbit',
      { RPC_TRANSPORT_URL: 'rabbit://u:p%40@h:1,u:p%40@[::1]:2/v%2F' },
      'rabbit://u:p%40@h:1,u:p%40@[::1]:2/v%2F',
    ],
    ['rabbit', { RPC_TRANSPORT_URL: 'kombu://h' }, 'kombu://h'],
    ['rabbit', { NOTIFY_TRANSPORT_URL: 'rabbit://h' }, 'rabbit://h'],
    ['rabbit', { RPC_TRANSPORT_URL: 'amqp://h', NOTIFY_TRANSPORT_URL: 'kafka://h' }, undefined],
    ['kafka', { NOTIFY_TRANSPORT_URL: 'kafka://h:9' }, 'kafka://h:9'],
    ['kafka', {}, undefined],
    ['artemis', { RPC_TRANSPORT_URL: 'amqp://h' }, 'amqp://h'],
  ] as const)('%s from %j', (name, env, url) => {
    expect(fromEnvironment(name, env)?.url).toBe(url)
  })

  it('keeps its hosts and credentials in other URLs', () => {
    const broker = fromEnvironment('rabbit', { RPC_TRANSPORT_URL: 'rabbit://u:p%40@h:1,u:p%40@[::1]/v%2F' })
    expect(broker?.hosts).toEqual([
      { host: 'h', port: 1 },
      { host: '::1', port: 5672 },
    ])
    expect(broker?.urlFor({ vhost: 'other' })).toBe('rabbit://u:p%40@h:1,u:p%40@[::1]:5672/other')
    expect(broker?.urlFor({ via: [{ host: '127.0.0.1', port: 3 }] })).toBe('rabbit://u:p%40@127.0.0.1:3/v%2F')
  })
})
