import { Target } from '@oslo-messaging/core/driver'
import { describe, expect, it } from 'vitest'
import { Names } from '../../src/topology/names.ts'

const names = new Names('oslo', 'openstack')

describe('names', () => {
  it('exchange, topic and server each have their part of a key, so that no two targets share one', () => {
    expect(names.anyServer(new Target({ topic: 'compute' }))).toBe('oslo:rpc:openstack:compute')
    expect(names.anyServer(new Target({ topic: 'compute:server:a' }))).toBe('oslo:rpc:openstack:compute%3Aserver%3Aa')
    expect(names.server(new Target({ topic: 'compute', server: 'a%3A' }))).toBe(
      'oslo:rpc:openstack:compute:server:a%253A',
    )
    expect(names.notification(new Target({ topic: 'n.info', exchange: 'x' }))).toBe('oslo:notify:x:n.info')
  })

  it('a pool cannot be named like the listeners without one', () => {
    expect(names.group('listeners')).not.toBe(names.group(null))
  })

  it('only keys of clients are addresses of replies: a peer cannot have a server write elsewhere', () => {
    expect(names.isReplies(null)).toBe(true)
    expect(names.isReplies(names.replies('5d7c-1'))).toBe(true)
    for (const key of [
      '',
      'oslo:reply:',
      'oslo:reply:a:b',
      'oslo:rpc:openstack:compute',
      'session:1',
      'oslo:reply:a\nb',
    ])
      expect(names.isReplies(key)).toBe(false)
  })

  it('dead letters are told from a topic that is called so, and a prefix means itself in a pattern', () => {
    const stream = names.notification(new Target({ topic: 'n.info' }))
    expect(names.isDeadLetters(names.deadLetters(stream))).toBe(true)
    expect(names.origin(names.deadLetters(stream))).toBe(stream)
    expect(names.isDeadLetters(names.notification(new Target({ topic: 'n:dead' })))).toBe(false)
    expect(new Names('a*[b]', 'openstack').everyNotification).toBe(String.raw`a\*\[b\]:notify:*`)
  })
})
