import { describe, expect, it } from 'vitest'
import { completeSettings } from '../src/settings.ts'
import { createRabbitDriver, type RabbitSettings } from '../src/index.ts'
import { DEFAULT_SETTINGS } from '../src/settings.ts'

describe('createRabbitDriver', () => {
  it.each([
    {
      settings: { maxPendingCall: 5 },
      message: 'createRabbitDriver has no option maxPendingCall; did you mean maxPendingCalls?',
    },
    { settings: { maxPendingCalls: 0 }, message: 'maxPendingCalls must be a whole number, 1 or more, not 0' },
    { settings: { maxWaitingBytes: '64 MiB' }, message: 'maxWaitingBytes must be a whole number, 1 or more, not text' },
    { settings: { connectTimeoutMs: 1.5 }, message: 'connectTimeoutMs must be a whole number, 1 or more, not 1.5' },
    { settings: { ack: 'later' }, message: 'ack must be one of before, after, not "later"' },
    { settings: { sharedQueues: true }, message: 'sharedQueues must be one of declare, passive, none, not a boolean' },
    { settings: { duplicateStore: {} }, message: 'duplicateStore must be a function, not an object' },
    {
      settings: { onNotificationFailure: { action: 'stop' } },
      message: /^createRabbitDriver has no option onNotificationFailure/,
    },
  ])('throws TypeError: $message', ({ settings, message }) => {
    expect(() => createRabbitDriver(settings as Partial<RabbitSettings>)).toThrow(
      typeof message === 'string' ? new TypeError(message) : message,
    )
  })

  it('takes what is in the bounds, and the default of what is not given or undefined', () => {
    const given = { longestMethodMs: 0, consumerTimeoutMs: null, duplicateStore: null }
    const settings = { ...given, ack: undefined } as unknown
    expect(completeSettings(settings as Partial<RabbitSettings>)).toEqual({ ...DEFAULT_SETTINGS, ...given })
    expect(completeSettings({})).toEqual(DEFAULT_SETTINGS)
  })
})
