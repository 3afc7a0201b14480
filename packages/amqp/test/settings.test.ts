import { describe, expect, it } from 'vitest'
import { type AmqpSettings, createAmqpDriver } from '../src/index.ts'

describe('createAmqpDriver', () => {
  it.each([
    {
      settings: { maxMessageByte: 1 },
      message: 'createAmqpDriver has no option maxMessageByte; did you mean maxMessageBytes?',
    },
    { settings: { maxMessageBytes: -1 }, message: 'maxMessageBytes must be a whole number, 0 or more, not -1' },
  ])('throws TypeError: $message', ({ settings, message }) => {
    expect(() => createAmqpDriver(settings as Partial<AmqpSettings>)).toThrow(new TypeError(message))
  })
})
