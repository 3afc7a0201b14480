import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { gunzipSync } from 'node:zlib'

import { Inbox } from './inbox.ts'

/** A span, as it came over the wire. */
export interface ReceivedSpan {
  readonly service: string
  readonly traceId: string
  readonly spanId: string
  /** Empty for the first of a trace. */
  readonly parentId: string
  readonly name: string
  /** 4 producer, 5 consumer. */
  readonly kind: number
  /** Milliseconds of the wall clock. */
  readonly startMs: number
  readonly durationMs: number
}

/** Takes traces by OTLP over HTTP on loopback, as a collector does. */
export async function startOtlpReceiver() {
  const spans = new Inbox<ReceivedSpan>()
  const server = createServer((request, response) => {
    const parts: Buffer[] = []
    request.on('data', (part: Buffer) => parts.push(part))
    request.on('end', () => {
      const body = Buffer.concat(parts)
      const message = request.headers['content-encoding'] === 'gzip' ? gunzipSync(body) : body
      for (const span of spansOf(message)) spans.add(span)
      response.writeHead(200, { 'content-type': 'application/x-protobuf' }).end()
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const close = async (): Promise<void> => {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  }
  return { url: `http://127.0.0.1:${port}`, spans, [Symbol.asyncDispose]: close }
}

/** ExportTraceServiceRequest: resource_spans 1 = { resource 1, scope_spans 2 = { spans 2 } }. */
function spansOf(request: Buffer): ReceivedSpan[] {
  return messagesOf(request, 1).flatMap((resourceSpans) => {
    const attributes = messagesOf(resourceSpans, 1).flatMap((resource) => messagesOf(resource, 1))
    const service = attributes.find((attribute) => textOf(attribute, 1) === 'service.name')
    const value = service && messagesOf(service, 2)[0]
    return messagesOf(resourceSpans, 2)
      .flatMap((scopeSpans) => messagesOf(scopeSpans, 2))
      .map((span) => ({
        ...timesOf(span),
        service: value === undefined ? '' : textOf(value, 1),
        traceId: messagesOf(span, 1)[0]?.toString('hex') ?? '',
        spanId: messagesOf(span, 2)[0]?.toString('hex') ?? '',
        parentId: messagesOf(span, 4)[0]?.toString('hex') ?? '',
        name: textOf(span, 5),
        kind: Number(fieldsOf(span).find(({ number }) => number === 6)?.value ?? 0),
      }))
  })
}

/** start_time_unix_nano 7 and end_time_unix_nano 8, fixed64. */
function timesOf(span: Buffer): Pick<ReceivedSpan, 'startMs' | 'durationMs'> {
  const [start = 0n, end = 0n] = [7, 8].map((number) => messagesOf(span, number)[0]?.readBigUInt64LE())
  return { startMs: Number(start) / 1e6, durationMs: Number(end - start) / 1e6 }
}

function messagesOf(message: Buffer, number: number): Buffer[] {
  return fieldsOf(message).flatMap((field) =>
    field.number === number && Buffer.isBuffer(field.value) ? [field.value] : [],
  )
}

function textOf(message: Buffer, number: number): string {
  return messagesOf(message, number)[0]?.toString() ?? ''
}

/** Fields of one protobuf message. */
function fieldsOf(message: Buffer): { readonly number: number; readonly value: Buffer | number }[] {
  const fields: { number: number; value: Buffer | number }[] = []
  let at = 0
  const varint = (): number => {
    let [value, factor] = [0, 1]
    for (;;) {
      const byte = message[at] ?? 0
      at += 1
      value += (byte & 127) * factor
      factor *= 128
      if (byte < 128) return value
    }
  }
  const take = (length: number): Buffer => message.subarray(at, (at += length))
  while (at < message.length) {
    const tag = varint()
    const [number, type] = [Math.floor(tag / 8), tag % 8]
    if (type === 0) fields.push({ number, value: varint() })
    else if (type === 1) fields.push({ number, value: take(8) })
    else if (type === 2) fields.push({ number, value: take(varint()) })
    else if (type === 5) fields.push({ number, value: take(4) })
    else throw new Error(`A protobuf field of type ${type}`)
  }
  return fields
}
