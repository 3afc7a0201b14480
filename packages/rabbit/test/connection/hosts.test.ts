import { TransportHost, TransportURL } from '@oslo-messaging/core/driver'
import { describe, expect, it } from 'vitest'
import { createHostOrder, hostsOf, hostText, virtualHostOf } from '../../src/connection/hosts.ts'

const url = (hosts: readonly TransportHost[], virtualHost?: string | null) =>
  new TransportURL({ transport: 'rabbit', hosts, virtualHost: virtualHost ?? null })

describe('hostsOf', () => {
  it('T8 credentials per host - each host has its own, and guest where it names none', () => {
    const hosts = hostsOf(
      url([
        new TransportHost({ hostname: 'a', port: 5673, username: 'u', password: 'p' }),
        new TransportHost({ hostname: 'b' }),
      ]),
    )
    expect(hosts).toEqual([
      { hostname: 'a', port: 5673, username: 'u', password: 'p' },
      { hostname: 'b', port: 5672, username: 'guest', password: 'guest' },
    ])
  })

  it('T9 port - 5672 on localhost when the URL has no host at all', () => {
    expect(hostsOf(url([]))).toEqual([{ hostname: 'localhost', port: 5672, username: 'guest', password: 'guest' }])
  })

  it('prints IPv6 addresses in brackets and never credentials', () => {
    expect(hostText({ hostname: '::1', port: 1, username: 'u', password: 'secret' })).toBe('[::1]:1')
  })
})

describe('virtualHostOf', () => {
  it.each([
    [null, '/'],
    ['', '/'],
    ['/', '/'],
    ['nova', 'nova'],
  ])('T11 virtual host - %s is %s', (given, virtualHost) => {
    expect(virtualHostOf(url([], given))).toBe(virtualHost)
  })
})

describe('createHostOrder', () => {
  const hosts = hostsOf(url(['a', 'b', 'c'].map((hostname) => new TransportHost({ hostname }))))
  const namesOf = (pass: readonly { hostname: string }[]) => pass.map(({ hostname }) => hostname).join('')

  it('T16 host order - every connection has an order of its own, so that many spread', () => {
    const firsts = new Set(
      Array.from({ length: 100 }, () => createHostOrder(hosts, 'round-robin', Math.random).nextPass()[0]?.hostname),
    )
    expect(firsts).toEqual(new Set(['a', 'b', 'c']))
  })

  it('round-robin - keeps the order, and begins after the host that was lost', () => {
    const order = createHostOrder(hosts, 'round-robin', () => 0.99)
    expect(namesOf(order.nextPass())).toBe('abc')
    expect(namesOf(order.nextPass())).toBe('abc')
    const [first] = order.nextPass()
    if (first === undefined) throw new Error('no host')
    order.connected(first)
    expect(namesOf(order.nextPass())).toBe('bca')
  })

  it('shuffle - draws a new order for every pass', () => {
    const order = createHostOrder(hosts, 'shuffle', Math.random)
    const passes = new Set(Array.from({ length: 100 }, () => namesOf(order.nextPass())))
    expect(passes.size).toBeGreaterThan(1)
  })
})
