import { describe, expect, it } from 'vitest'
import { Target } from '../../src/target.ts'
import { createManualClock } from '../../src/testing/manual-clock.ts'
import { createRecorder } from '../../src/testing/recorder.ts'
import { Deadline } from '../../src/util/deadline.ts'

const call = (topic: string, method: string) =>
  ({ type: 'call', target: new Target({ topic }), context: {}, message: { method, args: {} } }) as const
const notify = (topic: string, eventType: string) =>
  ({
    type: 'notify',
    target: new Target({ topic }),
    context: {},
    message: { event_type: eventType },
    version: '2.0',
  }) as const

describe('recorder', () => {
  it('recorder - keeps events in order and finds them by topic, method and event type', () => {
    const recorder = createRecorder()
    recorder.record(call('a', 'one'))
    recorder.record(notify('n.info', 'created'))
    recorder.record(call('b', 'one'))
    expect(recorder.events.map(({ type, order }) => [order, type])).toEqual([
      [0, 'call'],
      [1, 'notify'],
      [2, 'call'],
    ])
    expect(recorder.calls()).toHaveLength(2)
    expect(recorder.calls({ topic: 'b', method: 'one' })).toMatchObject([{ order: 2 }])
    expect(recorder.calls({ method: 'two' })).toEqual([])
    expect(recorder.notifications({ eventType: 'created' })).toMatchObject([{ order: 1 }])
    expect(recorder.ofType('reply')).toEqual([])
    recorder.clear()
    expect(recorder.events).toEqual([])
  })

  it('recorder - waits for an event to come, finds a past one, and gives up at the deadline', async () => {
    const clock = createManualClock()
    const recorder = createRecorder({ clock })
    const isTwo = (event: { readonly type: string }): boolean => event.type === 'notify'
    const waiting = recorder.waitFor(isTwo)
    recorder.record(call('a', 'one'))
    recorder.record(notify('n.info', 'created'))
    expect(await waiting).toMatchObject({ order: 1 })
    expect(await recorder.waitFor(isTwo)).toMatchObject({ order: 1 })
    const never = recorder.waitFor(() => false, Deadline.after(50, { clock })).catch((error: unknown) => error)
    await clock.advance(50)
    expect(await never).toMatchObject({ code: 'OSLO_MESSAGING_TIMEOUT' })
  })
})
