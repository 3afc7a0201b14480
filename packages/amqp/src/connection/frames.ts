import {
  type CloseFields,
  type OpenFields,
  peerClosed,
  peerOpened,
  socketOf,
  takeOverReading,
} from '../client/internals.ts'
import type { Connection } from '../client/rhea.ts'
import { FrameReader } from '../session/frame-reader.ts'
import { FrameWriter } from '../session/frame-writer.ts'
import { CODE, type FieldList, readCondition, readPerformative } from '../session/performatives.ts'
import type { FrameLog } from './frame-log.ts'

/** Largest frame that we take, as it is announced. */
export const MAX_FRAME_SIZE: number = 1024 * 1024
/** The specification lets nobody announce less. */
export const MIN_MAX_FRAME_SIZE = 512
/** A peer is written to no more often than this to be kept awake, and no timer of Node's waits longer than that. */
const SHORTEST_IDLE_MS = 200
const LONGEST_IDLE_MS = 0x7fffffff

/** The header of AMQP 1.0 without another layer. */
const HEADER = Buffer.from('AMQP\0\x01\0\0', 'latin1')

/** A performative of a session. Throws when the connection cannot go on after it. */
export type OnPerformative = (channel: number, code: number, fields: FieldList, payload: Buffer) => void

/** Takes the frames of a connection that was begun in this turn. Returns where ours are written. */
export function takeFrames(connection: Connection, onPerformative: OnPerformative, log?: FrameLog): FrameWriter {
  const reader = new FrameReader(MAX_FRAME_SIZE, ({ channel, bytes, at, end }) => {
    const { code, fields, payloadAt } = readPerformative(bytes, at, end)
    log?.received(channel, code, fields, end - payloadAt)
    onPerformative(channel, code, fields, bytes.subarray(payloadAt, end))
    if (code === CODE.open) peerOpened(connection, readOpen(fields))
    else if (code === CODE.close) peerClosed(connection, readClose(fields))
  })
  let header: Buffer | undefined = Buffer.alloc(0)
  const read = (bytes: Buffer): void => {
    if (header === undefined) return reader.read(bytes)
    header = Buffer.concat([header, bytes])
    if (!HEADER.subarray(0, header.length).equals(header.subarray(0, HEADER.length)))
      throw new RangeError(`the peer does not speak AMQP 1.0: it began with 0x${header.toString('hex', 0, 8)}`)
    if (header.length < HEADER.length) return
    const rest = header.subarray(HEADER.length)
    header = undefined
    reader.read(rest)
  }
  takeOverReading(connection, read, (frame) => {
    const { code } = readPerformative(frame, (frame[4] as number) * 4, frame.length)
    return { isLast: code === SASL_OUTCOME }
  })
  return new FrameWriter(() => socketOf(connection), log?.sent.bind(log))
}

const SASL_OUTCOME = 0x44

function readOpen(fields: FieldList): OpenFields {
  const [containerId, , maxFrameSize, channelMax, idleTimeOut, , , , , properties] = fields
  return {
    container_id: typeof containerId === 'string' ? containerId : '',
    max_frame_size: typeof maxFrameSize === 'number' ? maxFrameSize : 0xffffffff,
    channel_max: typeof channelMax === 'number' ? channelMax : 0xffff,
    idle_time_out:
      typeof idleTimeOut === 'number' && idleTimeOut > 0
        ? Math.min(Math.max(idleTimeOut, SHORTEST_IDLE_MS), LONGEST_IDLE_MS)
        : undefined,
    properties: properties instanceof Map ? Object.fromEntries(properties as Map<string, unknown>) : {},
  }
}

function readClose(fields: FieldList): CloseFields {
  const error = readCondition(fields[0])
  return { error: error === undefined ? undefined : { condition: error.condition, description: error.description } }
}
