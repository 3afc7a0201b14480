import { Target } from '@oslo-messaging/core/driver'
import { describe, expect, it } from 'vitest'
import { Names, token } from '../../src/topology/names.ts'

describe('names', () => {
  it.each([
    ['compute', 'compute'],
    ['notifications.info', 'notifications=2Einfo'],
    ['a b*>', 'a=20b=2A=3E'],
    ['żółw', '=C5=BC=C3=B3=C5=82w'],
    ['', '='],
    [null, '='],
    ['a=2E', 'a=3D2E'],
  ])('token %j', (text, expected) => {
    expect(token(text)).toBe(expected)
  })

  it('virtual host, exchange and topic each have their token, so that no two targets share a subject', () => {
    const of = (virtualHost: string | null, fields: ConstructorParameters<typeof Target>[0]): string =>
      new Names({ prefix: 'oslo', virtualHost, defaultExchange: 'openstack' }).anyServer(new Target(fields))
    expect(of(null, { topic: 'a.b' })).toBe('oslo.=.rpc.openstack.a=2Eb.any')
    expect(of('v', { topic: 'b', exchange: 'a' })).toBe('oslo.v.rpc.a.b.any')
  })

  it('a dead letter knows the subject it came from', () => {
    const names = new Names({ prefix: 'oslo', virtualHost: 'dead', defaultExchange: 'openstack' })
    const subject = names.notification(new Target({ topic: 'notifications.error' }))
    expect(names.deadLetter(subject)).toBe('oslo.dead.dead.openstack.notifications=2Eerror')
    expect(names.origin(names.deadLetter(subject))).toBe(subject)
  })

  it('a pool has a consumer of its own, which no topic can be named like', () => {
    const names = new Names({ prefix: 'oslo', virtualHost: null, defaultExchange: 'openstack' })
    const target = new Target({ topic: 'n.info' })
    expect(names.consumer(target, null)).toBe('openstack~n=2Einfo')
    expect(names.consumer(target, 'audit')).toBe('openstack~n=2Einfo~pool~audit')
    expect(names.consumer(new Target({ topic: 'n.info~pool~audit' }), null)).toBe('openstack~n=2Einfo=7Epool=7Eaudit')
  })

  it('dead letters are found by their subject, by that of the notification, and by the consumer they failed in', () => {
    const names = new Names({ prefix: 'oslo', virtualHost: 'v', defaultExchange: 'openstack' })
    const target = new Target({ topic: 'żółw.info' })
    const subject = names.deadLetter(names.notification(target))
    expect(names.deadSubjectOf(subject)).toEqual({ subject })
    expect(names.deadSubjectOf(names.notification(target))).toEqual({ subject })
    const consumer = names.consumer(target, 'ż b')
    expect(names.deadSubjectOf(consumer)).toEqual({ subject, consumer })
    expect(names.poolOf(consumer)).toBe('ż b')
    expect(names.poolOf(names.consumer(target, null))).toBeUndefined()
    expect(names.deadSubjectOf('oslo.v.notify.>')).toEqual({ subject: 'oslo.v.dead.>' })
    for (const other of ['notifications.info', 'oslo.w.dead.openstack.n', names.anyServer(target), '~', ''])
      expect(names.deadSubjectOf(other)).toBeUndefined()
  })
})
