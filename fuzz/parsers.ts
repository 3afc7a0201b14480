import { readMessage, bodyOf } from '../packages/amqp/src/wire/read-message.ts'
import { FrameReader as Amqp10Frames } from '../packages/amqp/src/session/frame-reader.ts'
import { readPerformative } from '../packages/amqp/src/session/performatives.ts'
import { parseIni } from '../packages/core/src/config/ini.ts'
import { MessagingError } from '../packages/core/src/errors.ts'
import { TransportURL } from '../packages/core/src/url/transport-url.ts'
import { readEnvelope } from '../packages/core/src/wire/envelope.ts'
import { RemoteErrorTable } from '../packages/core/src/wire/remote-error-table.ts'
import { decodeFailure } from '../packages/core/src/wire/remote-failure.ts'
import { decompressedSize } from '../packages/kafka/src/wire/decompressed-size.ts'
import { isAbort, isIntact, readBatches, readRecords } from '../packages/kafka/src/wire/record-batch.ts'
import { decodeRecord } from '../packages/kafka/src/wire/record.ts'
import { FrameReader as Amqp091Frames } from '../packages/rabbit/src/client/frame-reader.ts'
import { decodeBody, splitReply, splitRequest } from '../packages/rabbit/src/wire/message.ts'

/** A parser of bytes that come from outside. */
export interface Parser {
  /** Also the folder of its corpus. */
  readonly name: string
  /** Reads all of the input. What it may throw is in `errors`; anything else is a defect. `Error` stands for itself
   *  alone: a TypeError is no refusal. */
  parse(input: Buffer): void
  readonly errors: readonly (new (...args: never[]) => Error)[]
}

const MOST_BYTES = 1024 * 1024
const ERRORS = new RemoteErrorTable(['builtins', 'nova.exception'])
const MESSAGES = ['application/x-gzip', 'application/x-bz2', undefined]

export const PARSERS: readonly Parser[] = [
  {
    name: 'url',
    parse(input) {
      const url = TransportURL.parse(input.toString())
      // Whatever is accepted comes back as it was, and shows no password.
      const again = TransportURL.parse(url.toSecretString())
      if (again.toSecretString() !== url.toSecretString())
        throw new TypeError('The URL changed when it was written and read')
    },
    errors: [MessagingError],
  },
  {
    name: 'ini',
    parse(input) {
      parseIni(input.toString(), 'service.conf')
    },
    errors: [MessagingError],
  },
  {
    name: 'envelope',
    parse(input) {
      readEnvelope(input)
    },
    errors: [MessagingError],
  },
  {
    name: 'failure',
    parse(input) {
      // Any text makes an error, for the caller is owed one.
      const error = decodeFailure(input.toString(), ERRORS)
      if (!(error instanceof Error)) throw new TypeError('A failure became no error')
    },
    errors: [],
  },
  {
    name: 'amqp-0-9-1-frames',
    parse(input) {
      const reader = new Amqp091Frames(
        () => 128 * 1024,
        () => {},
      )
      for (let at = 0; at < input.length;) {
        const room = reader.room()
        const part = input.subarray(at, at + Math.min(97, room.length))
        room.set(part)
        reader.received(part.length)
        at += part.length
      }
    },
    // A connection's own guard makes a typed error of it.
    errors: [Error],
  },
  {
    name: 'amqp-0-9-1-bodies',
    parse(input) {
      const compression = MESSAGES[(input[0] ?? 0) % MESSAGES.length]
      const headers = compression === undefined ? {} : { compression }
      const fields = decodeBody({ contentType: 'application/json', headers }, input.subarray(1), MOST_BYTES)
      splitRequest(fields)
      splitReply(fields)
    },
    errors: [MessagingError],
  },
  {
    name: 'amqp-1.0-frames',
    parse(input) {
      const reader = new Amqp10Frames(128 * 1024, ({ bytes, at, end }) => void readPerformative(bytes, at, end))
      for (let at = 0; at < input.length; at += 97) reader.read(input.subarray(at, at + 97))
    },
    errors: [MessagingError, RangeError],
  },
  {
    name: 'amqp-1.0-bodies',
    parse(input) {
      bodyOf(readMessage(input))
    },
    errors: [MessagingError],
  },
  {
    name: 'kafka-records',
    parse(input) {
      for (const batch of readBatches(input) ?? []) {
        isIntact(input, batch)
        if (batch.isControl) isAbort(batch)
        else if (batch.codec === 0) readRecords(batch, batch.data, 0, [])
        else decompressedSize(batch.codec, batch.data)
      }
    },
    errors: [RangeError],
  },
  {
    name: 'kafka-values',
    parse(input) {
      decodeRecord(input)
    },
    errors: [MessagingError],
  },
]
