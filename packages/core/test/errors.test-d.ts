import { describe, expectTypeOf, it } from 'vitest'
import { isMessagingError, type MessagingError, type MessagingTimeout } from '../src/index.ts'

declare const unknown: unknown
declare const known: MessagingError

describe('isMessagingError narrows', () => {
  it('to the class of the code, with its fields and with or without the prefix', () => {
    if (isMessagingError(unknown, 'TIMEOUT')) {
      expectTypeOf(unknown).toExtend<MessagingTimeout>()
      expectTypeOf(unknown.timeoutMs).toEqualTypeOf<number | undefined>()
      expectTypeOf(unknown.code).toEqualTypeOf<'OSLO_MESSAGING_TIMEOUT'>()
    }
    if (isMessagingError(unknown, 'OSLO_MESSAGING_REMOTE')) expectTypeOf(unknown.excType).toEqualTypeOf<string>()
    if (isMessagingError(unknown)) expectTypeOf(unknown).toEqualTypeOf<MessagingError>()
  })

  it('and leaves the other errors in the other branch, also beside a class without fields', () => {
    if (isMessagingError(known, 'CLOSED')) expectTypeOf(known.code).toEqualTypeOf<'OSLO_MESSAGING_CLOSED'>()
    else expectTypeOf(known).toEqualTypeOf<MessagingError>()
  })

  it('a code that does not exist does not compile', () => {
    // @ts-expect-error -- misspelt
    isMessagingError(unknown, 'TIMEOUTS')
  })
})
