import { once } from 'node:events'
import rhea from 'rhea'
import { describe, expect, it } from 'vitest'
import { createSession } from '../../src/client/create-session.ts'
import { startPeer } from '../support/peer.ts'
import { openTap } from '../support/tap.ts'

describe('a session', () => {
  it('writes nothing after its end, when the peer has detached its link in the same breath', async () => {
    const peer = await startPeer()
    const tap = await openTap(peer.port)
    const connection = rhea.create_container().connect({ host: '127.0.0.1', port: tap.port, reconnect: false })
    try {
      await once(connection, 'connection_open')
      const session = createSession(connection)
      session.begin()
      const receiver = session.open_receiver('ended')
      await once(receiver, 'receiver_open')
      const detached = once(receiver, 'receiver_error')
      const ended = once(session, 'session_close')
      // Both are written before either side reads again, so that they pass each other.
      peer.detach('ended', 'amqp:resource-deleted')
      session.close()
      await Promise.all([detached, ended])
      const over = Promise.race([once(connection, 'connection_close'), once(connection, 'disconnected')])
      connection.close()
      await over
      const methods = tap.frames.map(({ method }) => method)
      expect(methods.slice(methods.indexOf('begin'))).toEqual(['begin', 'attach', 'flow', 'end', 'close'])
    } finally {
      await tap.close()
      await peer.close()
    }
  })
})
