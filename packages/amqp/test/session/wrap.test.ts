import { expect, it } from 'vitest'
import { FrameWriter } from '../../src/session/frame-writer.ts'
import { CODE, readPerformative } from '../../src/session/performatives.ts'
import { Session } from '../../src/session/session.ts'
import { Described } from '../../src/wire/read-value.ts'

const NOTHING = Buffer.alloc(0)
/** Five before the numbers begin again. */
const FIRST = 2 ** 32 - 5
const ACCEPTED = new Described(0x24, [])

/** A session with one link that may send so many messages, near the end of the numbers. */
function begun(window: number) {
  const written: { readonly code: number; readonly fields: readonly unknown[] }[] = []
  const sink = { write: () => true, cork() {}, uncork() {}, writableLength: 0, destroyed: false, writableEnded: false }
  const writer = new FrameWriter(
    () => sink,
    (_channel, performative) => written.push(readPerformative(performative, 0, performative.length)),
  )
  const session = new Session(0, writer, 1_000, { onOpen() {}, onEnd() {} }, FIRST)
  session.take(CODE.begin, [0, 0, window, 1_000, 255], NOTHING)
  const terminus = { address: 'a', dynamic: false, capabilities: [] }
  const link = session.attachSender(
    { name: 'l', sndSettleMode: 0, source: terminus, target: terminus },
    { onOpen() {}, onClosed() {}, onRoom() {} },
  )
  const address = new Described(0x29, ['a'])
  session.take(CODE.attach, ['l', 0, true, 0, 0, new Described(0x28, ['a']), address, undefined, undefined, 0], NOTHING)
  const flow = (nextIncomingId: number, incomingWindow: number): void =>
    session.take(CODE.flow, [nextIncomingId, incomingWindow, 0, 1_000, 0, 0, 100], NOTHING)
  const ids = (): unknown[] => written.filter(({ code }) => code === CODE.transfer).map(({ fields }) => fields[1])
  return { session, link, written, flow, ids }
}

it('deliveries across 2^32 - each has the next number, one range settles them all, and the window is counted on', () => {
  const { session, link, written, flow, ids } = begun(8)
  flow(FIRST, 8)
  expect(written[0]).toMatchObject({ code: CODE.begin })
  expect(written[0]?.fields[1]).toBe(FIRST)
  const outcomes: string[] = []
  for (let n = 0; n < 8; n += 1) link.send(Buffer.from('x'), ({ type }) => outcomes.push(type))
  expect(ids()).toEqual([FIRST, FIRST + 1, FIRST + 2, FIRST + 3, FIRST + 4, 0, 1, 2])
  expect(link.hasRoom).toBe(false)
  // The peer has seen all of them, and lets in four more.
  flow(3, 4)
  expect(link.hasRoom).toBe(true)
  session.take(CODE.disposition, [true, FIRST, 2, true, ACCEPTED], NOTHING)
  expect(outcomes).toEqual(Array.from({ length: 8 }, () => 'accepted'))
})

it('a range across 2^32 that is larger than what is unsettled - settles what is in it and nothing else', () => {
  const { session, link, flow } = begun(100)
  flow(FIRST, 100)
  const settled: number[] = []
  for (let n = 0; n < 8; n += 1) link.send(Buffer.from('x'), () => settled.push(n))
  // From the second on, to a number that was not given yet.
  session.take(CODE.disposition, [true, FIRST + 1, 50, true, ACCEPTED], NOTHING)
  expect(settled.toSorted((a, b) => a - b)).toEqual([1, 2, 3, 4, 5, 6, 7])
  session.take(CODE.disposition, [true, FIRST, FIRST, true, ACCEPTED], NOTHING)
  expect(settled).toHaveLength(8)
})
