import { AuthenticationError, TransportDriverError, TransportURL } from '@oslo-messaging/core/driver'
import { describe, expect, it } from 'vitest'
import { ServedHosts } from '../../src/connection/hosts.ts'

const REFUSED = new AuthenticationError('refused', { retryable: false })
const DOWN = new TransportDriverError('down', { retryable: true })

const served = (url: string, random = 0): ServedHosts => new ServedHosts(TransportURL.parse(url), () => random)

describe('the hosts of a URL', () => {
  it('take turns from a random one, at the port of AMQP where none is given, also after one was reached', () => {
    const hosts = served('amqp://a,b:7,[::1]:8/', 0.4)
    const tried = [1, 2, 3, 4].map(() => {
      const { hostname, port, address } = hosts.next()
      hosts.succeeded()
      return [hostname, port, address]
    })
    expect(tried).toEqual([
      ['b', 7, 'b:7'],
      ['::1', 8, '[::1]:8'],
      ['a', 5672, 'a:5672'],
      ['b', 7, 'b:7'],
    ])
  })

  it.each(['amqp://', 'amqp:///vhost', 'amqp://me:pw@/'])('%s - one without a name is this machine', (url) => {
    expect(served(url).next()).toMatchObject({ hostname: 'localhost', port: 5672, address: 'localhost:5672' })
  })

  it('wait only when each of them has failed: the next one may be up', () => {
    const hosts = served('amqp://a,b,c/')
    const backoff = hosts.betweenRounds({ next: () => 500, reset: () => {} })
    const waits = [1, 2, 3, 4, 5, 6].map(() => {
      hosts.next()
      hosts.classify(DOWN)
      return backoff.next()
    })
    expect(waits).toEqual([0, 0, 500, 0, 0, 500])
  })

  it('are given up when all of them in a row refuse, and not before', () => {
    const hosts = served('amqp://a,b/')
    expect([REFUSED, DOWN, REFUSED].map((error) => hosts.classify(error))).toEqual(['retry', 'retry', 'retry'])
    hosts.succeeded()
    expect([REFUSED, REFUSED].map((error) => hosts.classify(error))).toEqual(['retry', 'fatal'])
  })
})
