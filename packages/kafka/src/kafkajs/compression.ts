import kafkajs, { CompressionTypes } from 'kafkajs'
import { type BatchRange, ClientFault, type CompressionCodec } from '../port/client-port.ts'
import { type Codec, type ImportPackage, loadCodec, type OptionalCodec } from '../port/codecs.ts'

// The registry of codecs is only on the default export.
const codecs: Partial<Record<CompressionTypes, unknown>> = kafkajs.CompressionCodecs

const TYPES: Readonly<Record<CompressionCodec, CompressionTypes>> = {
  none: CompressionTypes.None,
  gzip: CompressionTypes.GZIP,
  snappy: CompressionTypes.Snappy,
  lz4: CompressionTypes.LZ4,
  zstd: CompressionTypes.ZSTD,
}
const OPTIONAL: readonly OptionalCodec[] = ['snappy', 'lz4', 'zstd']

export function compressionType(codec: CompressionCodec): CompressionTypes {
  return TYPES[codec]
}

/** Lets kafkajs read and write the optional codecs. Packages are loaded by the first batch that needs them; a codec the application has registered itself stays. */
export function registerCodecs(importCodec?: ImportPackage): void {
  explainGzip()
  for (const name of OPTIONAL) {
    if (isRegistered(TYPES[name])) continue
    const codec = lazyCodec(name, importCodec)
    codecs[TYPES[name]] = () => codec
  }
}

function isRegistered(type: CompressionTypes): boolean {
  try {
    const codec = codecs[type]
    if (typeof codec === 'function') codec()
    return true
  } catch {
    // That is how kafkajs says that nobody has registered one.
    return false
  }
}

interface KafkaJSCodec {
  compress(encoder: { readonly buffer: Buffer }): Promise<Buffer>
  decompress(data: Buffer): Promise<Buffer>
}

function lazyCodec(name: OptionalCodec, importCodec: ImportPackage | undefined): KafkaJSCodec {
  let loading: Promise<Codec> | undefined
  const load = async (): Promise<Codec> => {
    loading ??= loadCodec(name, importCodec)
    try {
      return await loading
    } catch (error) {
      loading = undefined
      throw new ClientFault('CodecMissing', error instanceof Error ? error.message : String(error), { cause: error })
    }
  }
  return {
    compress: async (encoder) => await (await load()).compress(encoder.buffer),
    decompress: async (data) => {
      const codec = await load()
      try {
        return await codec.decompress(data)
      } catch (error) {
        throw unreadable(name, data, error)
      }
    },
  }
}

let gzipExplained = false

/** kafkajs's own codec, with an error that says which batch it was. */
function explainGzip(): void {
  const create = codecs[TYPES.gzip] as (() => KafkaJSCodec) | undefined
  if (gzipExplained || create === undefined) return
  gzipExplained = true
  codecs[TYPES.gzip] = (): KafkaJSCodec => {
    const codec = create()
    return {
      compress: async (encoder) => await codec.compress(encoder),
      decompress: async (data) => {
        try {
          return await codec.decompress(data)
        } catch (error) {
          throw unreadable('gzip', data, error)
        }
      },
    }
  }
}

function unreadable(codec: CompressionCodec, data: Buffer, error: unknown): ClientFault {
  const batch = rangeOf(data)
  const reason = error instanceof Error ? error.message : String(error)
  const which = batch === undefined ? 'A batch' : `The batch of offsets ${batch.first} to ${batch.last}`
  return new ClientFault('BatchUnreadable', `${which} cannot be decompressed (${codec}): ${reason}`, {
    cause: error,
    ...(batch === undefined ? {} : { batch }),
  })
}

/** Bytes of a record batch before its compressed records. */
const HEADER_BYTES = 61
/** Of these, what the batch's own length counts. */
const COUNTED_BYTES = 49

/** Which offsets the compressed records of a batch have. The library does not tell a codec, but hands out a view of the answer it received, where the head of the batch stands before them.
 *  Undefined: it does not, because these bytes were copied or come in an older format.
 *  Source: Kafka protocol guide, RecordBatch. */
export function rangeOf(data: Buffer): BatchRange | undefined {
  const start = data.byteOffset - HEADER_BYTES
  if (start < 0) return undefined
  const head = new DataView(data.buffer, start, HEADER_BYTES)
  const isHead = head.getInt8(16) === 2 && head.getInt32(8) === data.length + COUNTED_BYTES
  if (!isHead) return undefined
  const first = Number(head.getBigInt64(0))
  return { first, last: first + head.getInt32(23) }
}
