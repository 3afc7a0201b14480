import { type IncomingNotification, silentLogger } from '@oslo-messaging/core/driver'
import { createManualClock } from '@oslo-messaging/core/testing'
import { describe, expect, it } from 'vitest'
import type { Incoming } from '../../src/receive/listener-links.ts'
import { NotificationFailures } from '../../src/receive/notification-failures.ts'
import { encodeMessage } from '../../src/wire/encode-message.ts'
import { readMessage } from '../../src/wire/read-message.ts'

/** A listener that always throws, and what becomes of one notification. */
function poisoned(bury: () => Promise<void> = async () => {}) {
  const clock = createManualClock()
  const taken = new AbortController()
  const ends: string[] = []
  const given: (number | undefined)[] = []
  const buried: { readonly attempts: number; readonly error: unknown }[] = []
  let mended = false
  const incoming: Incoming = {
    message: readMessage(encodeMessage({ to: 'a.info', body: '{"request": {"payload": 1}, "context": {}}' })),
    source: 'a.info',
    signal: taken.signal,
    accept: () => void ends.push('accept'),
    release: () => void ends.push('release'),
    unreadable: () => void ends.push('reject'),
  }
  const onMessage = (notification: IncomingNotification): void => {
    given.push(notification.deliveryCount)
    if (mended) notification.acknowledge()
    else notification.failed?.(new RangeError('cannot'))
  }
  const failures = new NotificationFailures({
    retries: 2,
    delayMs: 100,
    clock,
    logger: silentLogger,
    onMessage,
    bury: async (_incoming, attempts, error) => {
      buried.push({ attempts, error })
      await bury()
    },
  })
  const advance = async (ms: number): Promise<void> => await clock.advance(ms)
  return { failures, incoming, taken, ends, given, buried, advance, mend: () => (mended = true) }
}

describe('P09 - notifications that keep failing over AMQP 1.0', () => {
  it('tried so often and no more, each time after the pause, then buried and accepted', async () => {
    const { failures, incoming, ends, given, buried, advance } = poisoned()
    failures.give(incoming)
    await advance(99)
    expect(given).toEqual([undefined])
    await advance(1)
    await advance(100)
    await advance(1000)
    expect(given).toEqual([undefined, 1, 2])
    expect(buried).toEqual([{ attempts: 3, error: new RangeError('cannot') }])
    expect(ends).toEqual(['accept'])
  })

  it('a listener that is mended in between takes it', async () => {
    const { failures, incoming, ends, buried, advance, mend } = poisoned()
    failures.give(incoming)
    mend()
    await advance(100)
    expect({ ends, buried }).toEqual({ ends: ['accept'], buried: [] })
  })

  it('dead letters that cannot be written - it goes back to its own address', async () => {
    const { failures, incoming, ends, advance } = poisoned(async () => await Promise.reject(new Error('full')))
    failures.give(incoming)
    await advance(100)
    await advance(100)
    expect(ends).toEqual(['release'])
  })

  it('stopped while it waits, or taken back by the peer - not handed out again', async () => {
    const stopped = poisoned()
    stopped.failures.give(stopped.incoming)
    stopped.failures.stop()
    await stopped.advance(1000)
    expect(stopped.given).toEqual([undefined])
    const lost = poisoned()
    lost.failures.give(lost.incoming)
    lost.taken.abort()
    await lost.advance(1000)
    expect(lost.given).toEqual([undefined])
  })
})
