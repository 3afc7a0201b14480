import { expect, it, vi } from 'vitest'
import { onAbort } from '../../src/util/abort.ts'

it('onAbort - calls everybody once, with one listener on the signal', () => {
  const abort = new AbortController()
  const added = vi.spyOn(abort.signal, 'addEventListener')
  const calls: number[] = []
  const callback = (): void => void calls.push(0)
  onAbort(abort.signal, callback)
  onAbort(abort.signal, callback)
  for (let index = 1; index <= 50; index += 1) onAbort(abort.signal, () => void calls.push(index))
  abort.abort()
  abort.abort()
  expect(calls).toHaveLength(52)
  expect(added).toHaveBeenCalledTimes(1)
})

it('onAbort - called off, it stays silent and leaves no listener behind', () => {
  const abort = new AbortController()
  const removed = vi.spyOn(abort.signal, 'removeEventListener')
  const calls: string[] = []
  const callOffs = [
    onAbort(abort.signal, () => void calls.push('a')),
    onAbort(abort.signal, () => void calls.push('b')),
  ]
  for (const callOff of callOffs) callOff()
  callOffs[0]?.()
  expect(removed).toHaveBeenCalledTimes(1)
  onAbort(abort.signal, () => void calls.push('c'))
  abort.abort()
  expect(calls).toEqual(['c'])
})

it('onAbort - one callback may call off another', () => {
  const abort = new AbortController()
  const calls: string[] = []
  let callOff = (): void => {}
  onAbort(abort.signal, () => {
    calls.push('first')
    callOff()
  })
  callOff = onAbort(abort.signal, () => void calls.push('second'))
  abort.abort()
  expect(calls).toEqual(['first'])
})
