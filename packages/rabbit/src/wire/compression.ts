import { deflateSync, inflateSync } from 'node:zlib'
import { SerializationError } from '@oslo-messaging/core/driver'
import { decompressBzip2 } from './bzip2-decoder.ts'
import { compressBzip2 } from './bzip2-encoder.ts'

/** What `kombu_compression` may be, with the header that says so. oslo's `gzip` is a zlib stream (RFC 1950), not a gzip
 *  file. Source: WIRE 6.9. */
export type Compression = 'gzip' | 'bzip2'

const HEADER: Record<Compression, string> = { gzip: 'application/x-gzip', bzip2: 'application/x-bz2' }

export interface CompressedBody {
  readonly headers: Readonly<Record<string, unknown>>
  readonly body: Buffer
}

const NO_HEADERS: Readonly<Record<string, string>> = Object.freeze({})

/** The body as it goes on the wire, with the headers that describe it; untouched when compression is off. */
export function compress(compression: Compression | null, body: Buffer): CompressedBody {
  if (compression === null) return { headers: NO_HEADERS, body }
  const headers = { compression: HEADER[compression] }
  return { headers, body: compression === 'gzip' ? deflateSync(body) : compressBzip2(body) }
}

/** The body as it was before compression, by the message's own header, whatever this side's option says. Throws
 *  SerializationError, also when it holds more than `mostBytes`. */
export function decompress(
  headers: Readonly<Record<string, unknown>> | undefined,
  body: Buffer,
  mostBytes: number,
): Buffer {
  const compression = headers?.['compression'] ?? ''
  if (compression === '') return body
  const name = typeof compression === 'string' ? compression : typeof compression
  try {
    switch (name) {
      case 'application/x-gzip':
      case 'gzip':
        return inflateSync(body, { maxOutputLength: mostBytes })
      case 'application/x-bz2':
      case 'bzip2':
        return decompressBzip2(body, mostBytes)
      default:
        throw new Error(`unknown compression ${name}`)
    }
  } catch (error) {
    const why = error instanceof Error ? `: ${error.message}` : ''
    throw new SerializationError(`The body cannot be decompressed as ${name}${why}`, { cause: error })
  }
}
