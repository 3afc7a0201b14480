import { inspect } from 'node:util'
import { describe, expect, it } from 'vitest'
import { InvalidTransportURL } from '../../src/errors.ts'
import { TransportHost, TransportURL } from '../../src/url/transport-url.ts'
import { unitTables } from '../unit-tables.ts'

describe('T1, T3, T6-T12, T14 transport URLs as Python reads and writes them', () => {
  const rows = unitTables['unit-transport-url'] ?? []

  it('has the whole table', () => {
    expect(rows.length).toBeGreaterThan(30)
  })

  it.each(rows)('$title', ({ compute, python, here = python }) => {
    expect(compute()).toEqual(here)
  })
})

const failure = (text: unknown): InvalidTransportURL => {
  try {
    TransportURL.parse(text as string)
  } catch (error) {
    if (error instanceof InvalidTransportURL) return error
    throw error
  }
  throw new Error('the URL was accepted')
}

describe('errors name the field and the remedy', () => {
  it.each([
    ['T3 no scheme', '//host/v', 'No scheme specified', 'rabbit://user:password@host'],
    ['T3 not text', 5, 'not a value of type number', 'rabbit://user:password@host'],
    ['T4 nothing and no fallback', '', 'not nothing', 'rabbit://user:password@host'],
    ['T9 port', 'rabbit://host:abc/v', 'Invalid port in the rabbit URL', '5672'],
    ['T9 empty port', 'rabbit://host:/v', 'Invalid port', 'leave both out'],
    ['T9 port of the second host', 'rabbit://a:1,b:x/v', 'Invalid port of host 2 of 2', '5672'],
    ['T10 unclosed bracket', 'rabbit://[::1', 'Invalid host', '[::1]:5672'],
    ['T10 text after the bracket', 'rabbit://[::1]5672/v', 'Invalid host', 'only a port may follow'],
    ['T7 unescaped / in a password', 'rabbit://u:a/b@h/v', 'Invalid credentials', 'a / is %2F'],
    ['T7 unescaped / in a numeric password', 'rabbit://u:12/34@h/v', 'Invalid credentials', 'a / is %2F'],
    ['T7 unescaped / in the second password', 'rabbit://u:p@a,v:12/34@b/v', 'Invalid credentials', 'percent-encode'],
    ['T7 unescaped ? in a password', 'rabbit://u:12?34@h/v', 'Invalid credentials', 'percent-encode'],
    ['T11 unescaped @ in the virtual host', 'rabbit://h/a@b', 'Invalid credentials', '%40'],
    ['T1 // left out', 'rabbit:u:p@h/v', 'Invalid credentials', 'percent-encode'],
    ['T7 unescaped # in a password', 'rabbit://u:12#b@h/v', 'Invalid credentials', 'percent-encode'],
  ])('%s', (_title, text, field, remedy) => {
    const error = failure(text)
    expect(error.code).toBe('OSLO_MESSAGING_INVALID_URL')
    expect(error.message).toContain(field)
    expect(error.message).toContain(remedy)
  })
})

describe('values', () => {
  it('T2 driver name - is lower case and ends at the plus sign', () => {
    const url = TransportURL.parse('KOMBU+Memory://h/v')
    expect(url.transport).toBe('kombu+memory')
    expect(url.scheme).toBe('kombu')
    expect(TransportURL.parse('rabbit://h').scheme).toBe('rabbit')
  })

  it('T4 no URL - null and empty mean the fallback', () => {
    expect(TransportURL.parse(null, 'kafka://h').transport).toBe('kafka')
    expect(TransportURL.parse('', 'kafka://h').transport).toBe('kafka')
    expect(TransportURL.parse(undefined, 'kafka://h').transport).toBe('kafka')
  })

  it('T5 URL object - is used as it is', () => {
    const url = new TransportURL({ transport: 'Rabbit', hosts: [{ hostname: 'h', port: 1 }] })
    expect(TransportURL.parse(url)).toBe(url)
    expect(url.toSecretString()).toBe('rabbit://h:1/')
  })

  it('T6 hosts - are split at commas, empty pieces skipped', () => {
    const names = (text: string) => TransportURL.parse(text).hosts.map((host) => host.hostname)
    expect(names('rabbit://h1,,h2/')).toEqual(['h1', 'h2'])
    expect(names('rabbit:///v')).toEqual([])
    expect(names('rabbit://,')).toEqual([])
  })

  it.each([
    ['u:p:q@h', 'u', 'p:q'],
    ['u%40r@h', 'u@r', null],
    ['u@r:p@h', 'u@r', 'p'],
    [':p@h', '', 'p'],
    ['u:@h', 'u', ''],
    ['@h', '', null],
    ['u%:p%zz%C3%A9@h', 'u%', 'p%zzé'],
    ['u+v:p+q@h', 'u+v', 'p+q'],
  ])('T7 credentials - %s', (authority, username, password) => {
    expect(TransportURL.parse(`rabbit://${authority}`).hosts).toMatchObject([{ hostname: 'h', username, password }])
  })

  it('T9 port - is a number, absent is null', () => {
    expect(TransportURL.parse('rabbit://a,b:0,c:65536').hosts.map((host) => host.port)).toEqual([null, 0, 65536])
  })

  it('T10 IPv6 - brackets are taken off and put back, a bare address has no port', () => {
    const url = TransportURL.parse('rabbit://[::1]:1,::1,u:p@[fe80::1]/')
    expect(url.hosts).toMatchObject([
      { hostname: '::1', port: 1 },
      { hostname: '::1', port: null },
      { hostname: 'fe80::1', port: null, username: 'u' },
    ])
    expect(url.toSecretString()).toBe('rabbit://[::1]:1,[::1],u:p@[fe80::1]/')
  })

  it.each([
    ['rabbit://h', null],
    ['rabbit://h/', ''],
    ['rabbit://h//', '/'],
    ['rabbit://h/%2F', '/'],
    ['rabbit://h/a%20b/c', 'a b/c'],
  ])('T11 virtual host - of %s is %j', (text, virtualHost) => {
    expect(TransportURL.parse(text).virtualHost).toBe(virtualHost)
  })

  it('T12 query - joins repeated keys, drops empty values and the fragment, reads + as a space', () => {
    expect(TransportURL.parse('rabbit://h?a=1&b=&c&a=2&d=x+y%2B&=e#f=1').query).toEqual({
      a: '1,2',
      d: 'x y+',
      '': 'e',
    })
  })

  it('T8 credentials per host - nothing is taken from a neighbour', () => {
    const [first, second, third] = TransportURL.parse('rabbit://u:p@a,b,v:q@c/').hosts
    expect([first?.username, second?.username, third?.username]).toEqual(['u', null, 'v'])
    expect([first?.password, second?.password, third?.password]).toEqual(['p', null, 'q'])
  })

  it('T15 equality - compares transport, virtual host and hosts in order, not the query', () => {
    const url = TransportURL.parse('rabbit://u:p@a:1,b/v?x=1')
    expect(url.equals(TransportURL.parse('rabbit://u:p@a:1,b/v?y=2'))).toBe(true)
    for (const other of ['kombu://u:p@a:1,b/v', 'rabbit://u:p@a:1,b/w', 'rabbit://u:p@a:1/v', 'rabbit://b,u:p@a:1/v']) {
      expect(url.equals(TransportURL.parse(other))).toBe(false)
    }
    for (const host of ['v:p@a:1', 'u:q@a:1', 'u:p@b:1', 'u:p@a:2', 'u:p@a']) {
      expect(url.equals(TransportURL.parse(`rabbit://${host},b/v`))).toBe(false)
    }
  })

  it('T12 query - a key named __proto__ is a key', () => {
    const { query } = TransportURL.parse('rabbit://h/?__proto__=1&constructor=2')
    expect(Object.keys(query)).toEqual(['__proto__', 'constructor'])
  })

  it('is immutable', () => {
    const url = TransportURL.parse('rabbit://u:p@h/v?a=1')
    expect([url, url.hosts, url.hosts[0], url.query].every((value) => Object.isFrozen(value))).toBe(true)
  })
})

describe('printing', () => {
  it('masks passwords and secret query values, and keeps what helps', () => {
    const url = TransportURL.parse('rabbit://u:hunter2@h1:1,v:hunter3@[::1]:2/v?ssl=1&ssl_key_password=hunter4')
    expect(url.redacted).toBe('rabbit://u:***@h1:1,v:***@[::1]:2/v?ssl=1&ssl_key_password=***')
    expect(inspect(url)).toBe(`<TransportURL ${url.redacted}>`)
    expect(JSON.stringify({ url })).toBe(JSON.stringify({ url: url.redacted }))
    expect(inspect({ deep: { host: url.hosts[0] } })).toContain('<TransportHost u:***@h1:1>')
    expect(inspect(url, { customInspect: false, depth: 9, showHidden: true })).not.toContain('hunter3')
    expect(JSON.stringify(url.hosts)).not.toContain('hunter')
    expect(String(url.hosts[0])).toBe('u:***@h1:1')
    expect(url.hosts[1]?.address).toBe('[::1]:2')
  })

  it.each([
    ['an unescaped , in a numeric password', 'rabbit://u:12,34@h/v'],
    ['an unescaped , behind an @', 'rabbit://u:@12,34@h/v'],
  ])('shows only the scheme after %s', (_title, text) => {
    expect(TransportURL.parse(text).redacted).toBe('rabbit://***')
  })

  it('writes a password of asterisks as Python does', () => {
    const url = new TransportURL({
      transport: 'rabbit',
      hosts: [new TransportHost({ username: "it's", password: '***' })],
    })
    expect(url.toSecretString()).toBe('rabbit://it%27s:%2A%2A%2A@/')
  })
})
