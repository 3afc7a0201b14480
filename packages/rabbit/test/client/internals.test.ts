import { connect } from 'amqplib'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { channelInternals, connectionInternals } from '../../src/client/internals.ts'
import { OddPeer } from '../support/odd-peer.ts'

const CONNECTION_FIELDS = [
  'stream',
  'channels',
  'rest',
  'frameMax',
  'maxFrameSize',
  'sentSinceLastCheck',
  'recvSinceLastCheck',
  'freshChannel',
  'sendBytes',
  'sendMessage',
  'recvFrame',
  'accept',
  'onSocketError',
]
const CHANNEL_FIELDS = [
  'ch',
  'consumers',
  'dispatchMessage',
  'emit',
  'lwm',
  'unconfirmed',
  'closeBecause',
  'closeWithError',
]

describe('what this driver touches inside amqplib', () => {
  let peer: OddPeer
  let connection: object
  let channel: object

  beforeAll(async () => {
    peer = await OddPeer.start()
    const model = await connect(peer.url.replace('rabbit:', 'amqp:'))
    model.on('error', () => {})
    connection = model.connection
    channel = await model.createConfirmChannel()
  })
  afterAll(async () => {
    await peer.close()
  })

  it('is there in the amqplib that is installed', () => {
    expect(connectionInternals(connection)).toBe(connection)
    expect(channelInternals(channel)).toBe(channel)
  })

  it.each(CONNECTION_FIELDS)('a connection without %s is refused by name before it is used', (field) => {
    const other: object = Object.create(connection, { [field]: { value: undefined } })
    expect(() => connectionInternals(other)).toThrow(
      expect.objectContaining({
        code: 'OSLO_MESSAGING_DRIVER_LOAD',
        message: expect.stringContaining(`Connection.${field} is missing`) as string,
      }),
    )
  })

  it.each(CHANNEL_FIELDS)('a channel without %s is refused by name before it is used', (field) => {
    const other: object = Object.create(channel, { [field]: { value: undefined } })
    expect(() => channelInternals(other)).toThrow(
      expect.objectContaining({
        code: 'OSLO_MESSAGING_DRIVER_LOAD',
        message: expect.stringContaining(`Channel.${field} is missing`) as string,
      }),
    )
  })
})
