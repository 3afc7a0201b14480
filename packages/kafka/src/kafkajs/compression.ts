import kafkajs, { CompressionTypes } from 'kafkajs'
import { ClientFault, type CompressionCodec } from '../port/client-port.ts'
import { type ImportPackage, lazyCodec, OPTIONAL_CODECS } from '../port/codecs.ts'

// The registry of codecs is only on the default export.
const codecs: Partial<Record<CompressionTypes, unknown>> = kafkajs.CompressionCodecs

const TYPES: Readonly<Record<CompressionCodec, CompressionTypes>> = {
  none: CompressionTypes.None,
  gzip: CompressionTypes.GZIP,
  snappy: CompressionTypes.Snappy,
  lz4: CompressionTypes.LZ4,
  zstd: CompressionTypes.ZSTD,
}

export function compressionType(codec: CompressionCodec): CompressionTypes {
  return TYPES[codec]
}

/** Lets kafkajs read and write the optional codecs. Packages are loaded by the first batch that needs them; a codec the
 *  application has registered itself stays. */
export function registerCodecs(importCodec?: ImportPackage): void {
  for (const name of OPTIONAL_CODECS) {
    if (isRegistered(TYPES[name])) continue
    const codec = lazyCodec(name, importCodec)
    const theirs: KafkaJSCodec = {
      compress: async ({ buffer }) => await codec.compress(buffer),
      decompress: async (data) => await codec.decompress(data),
    }
    codecs[TYPES[name]] = () => theirs
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

/** The codec that is registered under a number. Using it rejects with ClientFault CodecMissing when its package is not
 *  installed. */
export function codecOf(number: number): KafkaJSCodec {
  const create = Object.entries(codecs).find(([each]) => Number(each) === number)?.[1]
  if (typeof create === 'function') return (create as () => KafkaJSCodec)()
  throw new ClientFault('CodecMissing', `There is no codec ${number}`)
}
