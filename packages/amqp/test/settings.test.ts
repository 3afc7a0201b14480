import { describe, expect, it } from 'vitest'
import { type AmqpSettings, createAmqpDriver } from '../src/index.ts'

describe('createAmqpDriver', () => {
  it.each([
    {
      settings: { onNotificationFailures: {} },
      message: 'createAmqpDriver has no option onNotificationFailures; did you mean onNotificationFailure?',
    },
    {
      settings: { onNotificationFailure: { action: 'requeue' } },
      message: 'onNotificationFailure.action must be one of default, dead-letter, not "requeue"',
    },
    {
      settings: { onNotificationFailure: { action: 'dead-letter', delayMs: 1 } },
      message: 'onNotificationFailure.retries must be a whole number, 0 or more, not null',
    },
    {
      settings: { onNotificationFailure: { action: 'dead-letter', retries: 1, delayMs: -1 } },
      message: 'onNotificationFailure.delayMs must be a whole number, 0 or more, not -1',
    },
  ])('throws TypeError: $message', ({ settings, message }) => {
    expect(() => createAmqpDriver(settings as Partial<AmqpSettings>)).toThrow(new TypeError(message))
  })

  it('takes a policy that is complete', () => {
    const policy = { action: 'dead-letter', retries: 0, delayMs: 0 } as const
    expect(createAmqpDriver({ onNotificationFailure: policy }).name).toBe('amqp')
  })
})
