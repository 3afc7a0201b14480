import { promisify } from 'node:util'
import zlib from 'node:zlib'
import { DriverLoadFailure } from '@oslo-messaging/core/driver'
import { ClientFault, type CompressionCodec } from './client-port.ts'

/** Compresses and decompresses the records of a batch. */
export interface Codec {
  compress(data: Buffer): Promise<Buffer>
  decompress(data: Buffer): Promise<Buffer>
}

/** The codecs that need more than Node. */
export type OptionalCodec = Exclude<CompressionCodec, 'none' | 'gzip'>

export const OPTIONAL_CODECS: readonly OptionalCodec[] = ['snappy', 'lz4', 'zstd']

/** Imports a package; a parameter so that tests can take one away. */
export type ImportPackage = (name: string) => Promise<unknown>

/** The package a codec needs. zstd needs none where Node has it (22.15 and newer). */
export const CODEC_PACKAGES: Readonly<Record<OptionalCodec, string>> = {
  snappy: 'snappy',
  lz4: 'lz4-napi',
  zstd: '@hpcc-js/wasm-zstd',
}

const importPackage: ImportPackage = async (name) => await import(name)

/** Loads a codec.
 *  Rejects: DriverLoadFailure that names the package to install. */
export async function loadCodec(name: OptionalCodec, load: ImportPackage = importPackage): Promise<Codec> {
  try {
    return await LOADERS[name](load)
  } catch (error) {
    throw new DriverLoadFailure(
      'kafka',
      `Compression ${name} needs the package ${CODEC_PACKAGES[name]}: add it to the dependencies of the application (npm install ${CODEC_PACKAGES[name]})`,
      { cause: error },
    )
  }
}

/** The numbers that batches know codecs by. Source: Kafka protocol guide, RecordBatch. */
export const CODEC_NUMBERS: Readonly<Record<CompressionCodec, number>> = {
  none: 0,
  gzip: 1,
  snappy: 2,
  lz4: 3,
  zstd: 4,
}

/** The codec of a number. Using one rejects with ClientFault CodecMissing when its package is not installed. */
export type Codecs = (number: number) => Codec

const gzip: Codec = {
  compress: promisify<Buffer, Buffer>(zlib.gzip),
  decompress: promisify<Buffer, Buffer>(zlib.gunzip),
}

/** All codecs; a package is loaded by the first batch that needs it. */
export function createCodecs(load?: ImportPackage): Codecs {
  const codecs = new Map<number, Codec>([[CODEC_NUMBERS.gzip, gzip]])
  for (const name of OPTIONAL_CODECS) codecs.set(CODEC_NUMBERS[name], lazyCodec(name, load))
  return (number) => {
    const codec = codecs.get(number)
    if (codec === undefined) throw new ClientFault('CodecMissing', `There is no codec ${number}`)
    return codec
  }
}

/** A codec whose package is loaded when it is first used. */
export function lazyCodec(name: OptionalCodec, importCodec?: ImportPackage): Codec {
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
    compress: async (data) => await (await load()).compress(data),
    decompress: async (data) => await (await load()).decompress(data),
  }
}

const LOADERS: Readonly<Record<OptionalCodec, (load: ImportPackage) => Promise<Codec>>> = {
  async snappy(load) {
    const snappy = (await load(CODEC_PACKAGES.snappy)) as {
      compress(data: Buffer): Promise<Buffer>
      uncompress(data: Buffer): Promise<Buffer>
    }
    return {
      compress: async (data) => await snappy.compress(data),
      decompress: async (data) => await decompressSnappy(data, async (block) => await snappy.uncompress(block)),
    }
  },
  async lz4(load) {
    const lz4 = (await load(CODEC_PACKAGES.lz4)) as {
      compressFrame(data: Buffer): Promise<Buffer>
      decompressFrame(data: Buffer): Promise<Buffer>
    }
    return {
      compress: async (data) => await lz4.compressFrame(data),
      decompress: async (data) => await lz4.decompressFrame(data),
    }
  },
  async zstd(load) {
    const native = nativeZstd()
    if (native !== null) return native
    const { Zstd } = (await load(CODEC_PACKAGES.zstd)) as {
      Zstd: { load(): Promise<{ compress(data: Uint8Array): Uint8Array; decompress(data: Uint8Array): Uint8Array }> }
    }
    const zstd = await Zstd.load()
    return {
      compress: async (data) => Buffer.from(zstd.compress(data)),
      decompress: async (data) => Buffer.from(zstd.decompress(data)),
    }
  },
}

type ZlibFunction = (data: Buffer, callback: (error: Error | null, result: Buffer) => void) => void

/** Node's own zstd, which the types of Node 20 do not know. */
function nativeZstd(): Codec | null {
  const { zstdCompress, zstdDecompress } = zlib as { zstdCompress?: ZlibFunction; zstdDecompress?: ZlibFunction }
  if (zstdCompress === undefined || zstdDecompress === undefined) return null
  const run = async (work: ZlibFunction, data: Buffer): Promise<Buffer> =>
    await new Promise((resolve, reject) => {
      work(data, (error, result) => {
        if (error === null) resolve(result)
        else reject(error)
      })
    })
  return {
    compress: async (data) => await run(zstdCompress, data),
    decompress: async (data) => await run(zstdDecompress, data),
  }
}

/** Java clients frame snappy the "xerial" way, librdkafka writes it raw; both are found on one topic.
 *  Shape: 82 53 4e 41 50 50 59 00, two 32 bit versions, then blocks: 32 bit big-endian length, raw snappy. */
const XERIAL_MAGIC = Buffer.from([0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0x00])
const XERIAL_HEADER_BYTES = 16

async function decompressSnappy(data: Buffer, block: (data: Buffer) => Promise<Buffer>): Promise<Buffer> {
  if (data.length < XERIAL_HEADER_BYTES || !data.subarray(0, XERIAL_MAGIC.length).equals(XERIAL_MAGIC)) {
    return await block(data)
  }
  const parts: Buffer[] = []
  for (let at = XERIAL_HEADER_BYTES; at < data.length;) {
    const length = data.readUInt32BE(at)
    at += 4
    parts.push(await block(data.subarray(at, at + length)))
    at += length
  }
  return Buffer.concat(parts)
}
