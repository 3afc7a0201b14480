import { execFileSync, spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { gzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { decompressBzip2 } from '../../src/wire/bzip2-decoder.ts'
import { compressBzip2 } from '../../src/wire/bzip2-encoder.ts'
import { compress, decompress } from '../../src/wire/compression.ts'

const texts: readonly (readonly [string, Buffer])[] = [
  ['nothing', Buffer.alloc(0)],
  ['one byte', Buffer.from('x')],
  ['a word', Buffer.from('banana')],
  ['one byte many times', Buffer.alloc(1000, 'a')],
  ['runs of every length', Buffer.from(Array.from({ length: 300 }, (_, n) => `${'z'.repeat(n)}|`).join(''))],
  ['a repeated text', Buffer.from('{"method": "build", "args": {}}'.repeat(500))],
  ['random bytes', randomBytes(5000)],
  ['every byte', Buffer.from(Array.from({ length: 256 }, (_, n) => n))],
]

function hasPython(): boolean {
  return spawnSync('python3', ['-c', 'import bz2']).status === 0
}

describe('bzip2', () => {
  it.each(texts)('gives back %s', (_name, bytes) => {
    expect(decompressBzip2(compressBzip2(bytes), 1e6).equals(bytes)).toBe(true)
  })

  it('gives back more than one block', () => {
    const bytes = Buffer.from(Array.from({ length: 90_000 }, (_, n) => `line ${n}\n`).join(''))
    expect(bytes.length).toBeGreaterThan(700_000)
    expect(decompressBzip2(compressBzip2(bytes), 1e7).equals(bytes)).toBe(true)
  })

  it.skipIf(!hasPython())('writes what other programs read', () => {
    const program = 'import bz2,sys; sys.stdout.buffer.write(bz2.decompress(sys.stdin.buffer.read()))'
    for (const [, bytes] of texts) {
      const read = execFileSync('python3', ['-c', program], { input: compressBzip2(bytes) })
      expect(read.equals(bytes)).toBe(true)
    }
  })

  it.each([
    ['an empty body', Buffer.alloc(0)],
    ['text', Buffer.from('this is not bzip2')],
    ['a stream cut short', compressBzip2(Buffer.from('banana'.repeat(50))).subarray(0, -12)],
  ])('refuses %s', (_name, bytes) => {
    expect(() => decompressBzip2(bytes, 1e6)).toThrow(Error)
  })

  it('stops before a small body fills the memory', () => {
    expect(() => decompressBzip2(compressBzip2(Buffer.alloc(100_000, 'a')), 50_000)).toThrow('more than 50000 bytes')
  })
})

describe('decompress', () => {
  it.each(['application/x-gzip', 'gzip'])('reads a zlib stream named %s, as oslo sends it', (name) => {
    const { body } = compress('gzip', Buffer.from('hello'))
    expect(decompress({ compression: name }, body, 100).toString()).toBe('hello')
  })

  it('refuses a real gzip file under that name, as oslo does', () => {
    expect(() => decompress({ compression: 'application/x-gzip' }, gzipSync('hello'), 100)).toThrow(
      'cannot be decompressed',
    )
  })

  it('refuses a codec it does not know', () => {
    expect(() => decompress({ compression: 'application/zstd' }, Buffer.from('x'), 100)).toThrow('application/zstd')
  })

  it('leaves a body without the header alone', () => {
    expect(decompress({}, Buffer.from('x'), 100).toString()).toBe('x')
  })

  it.each(['gzip', 'bzip2'] as const)(
    'refuses a small %s body that holds more than may come out, before it is there',
    (name) => {
      const { headers, body } = compress(name, Buffer.from('ab'.repeat(50_000)))
      expect(body.length).toBeLessThan(10_000)
      expect(() => decompress(headers, body, 99_999)).toThrow('cannot be decompressed')
      expect(decompress(headers, body, 100_000).length).toBe(100_000)
    },
  )
})
