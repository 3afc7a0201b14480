import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { BODY_FRAME, FRAME_END, FrameReader } from '../../src/client/frame-reader.ts'
import { receive } from '../support/receive.ts'

function frame(channel: number, payload: Uint8Array): Buffer {
  const bytes = Buffer.alloc(payload.length + 8)
  bytes[0] = BODY_FRAME
  bytes.writeUInt16BE(channel, 1)
  bytes.writeUInt32BE(payload.length, 3)
  bytes.set(payload, 7)
  bytes[bytes.length - 1] = FRAME_END
  return bytes
}

function collecting(mostBytes = 0) {
  const frames: string[] = []
  const reader = new FrameReader(
    () => mostBytes,
    (bytes, start, end) => frames.push(bytes.toString('hex', start, end)),
  )
  return { frames, reader }
}

describe('FrameReader', () => {
  it('gives the same frames wherever the network cuts', () => {
    const payloads = fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 8 })
    fc.assert(
      fc.property(payloads, fc.array(fc.nat(400), { maxLength: 12 }), (contents, cuts) => {
        const sent = contents.map((payload, index) => frame(index + 1, payload))
        const stream = Buffer.concat(sent)
        const { frames, reader } = collecting()
        const places = [...new Set(cuts)].filter((cut) => cut < stream.length).sort((a, b) => a - b)
        for (const [index, from] of [0, ...places].entries()) receive(reader, stream.subarray(from, places[index]))
        expect(frames).toEqual(sent.map((bytes) => bytes.toString('hex')))
      }),
    )
  })

  it('gives large frames as well, and leaves the bytes of earlier ones alone', () => {
    const sizes = [70_000, 130_000, 5, 131_072, 262_144, 400_000, 0, 90_000, 90_000, 1]
    const sent = sizes.map((size, index) => frame(index + 1, Buffer.alloc(size, index + 1)))
    const held: Buffer[] = []
    const reader = new FrameReader(
      () => 0,
      (bytes, start, end) => held.push(bytes.subarray(start, end)),
    )
    receive(reader, Buffer.concat(sent))
    expect(held.map((bytes, index) => bytes.equals(sent[index] ?? Buffer.alloc(0)))).toEqual(sizes.map(() => true))
  })

  it('refuses a frame above what was agreed upon before it takes memory for it', () => {
    const { reader } = collecting(16)
    expect(() => receive(reader, frame(1, Buffer.alloc(17)).subarray(0, 7))).toThrow(/17 bytes/)
  })

  it('refuses bytes that do not end as a frame does', () => {
    const { frames, reader } = collecting()
    const broken = frame(1, Buffer.from('x'))
    broken[broken.length - 1] = 0
    expect(() => receive(reader, broken)).toThrow('Invalid frame')
    expect(frames).toEqual([])
  })
})
