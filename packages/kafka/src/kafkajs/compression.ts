import kafkajs, { CompressionTypes } from 'kafkajs'
import { ClientFault, type CompressionCodec } from '../port/client-port.ts'
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

/** The codec that is registered under a number. Using it rejects with ClientFault CodecMissing when its package is not installed. */
export function codecOf(number: number): KafkaJSCodec {
  const create = Object.entries(codecs).find(([each]) => Number(each) === number)?.[1]
  if (typeof create === 'function') return (create as () => KafkaJSCodec)()
  throw new ClientFault('CodecMissing', `There is no codec ${number}`)
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
    decompress: async (data) => await (await load()).decompress(data),
  }
}
