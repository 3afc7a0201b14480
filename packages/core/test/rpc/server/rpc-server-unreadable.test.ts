import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { describe, expect, it } from 'vitest'
import type { RPCReply } from '../../../src/driver/messages.ts'
import { silentLogger, ValueError } from '../../../src/index.ts'
import { createScene, rejection, turn } from '../scene.ts'
import { createHandFedScene } from './hand-fed-scene.ts'

const failureOf = (reply: RPCReply | undefined): Record<string, unknown> =>
  JSON.parse(reply?.failure ?? 'null') as Record<string, unknown>

describe('RPC server - requests that cannot be read', () => {
  it.each([
    ['no method', {}, /method must be a name and is missing/],
    ['an empty method', { method: '' }, /method .* is empty/],
    ['a method that is no text', { method: 7 }, /method .* is a number/],
    ['arguments in a list', { method: 'go', args: [1] }, /args must be an object/],
    ['arguments in a text', { method: 'go', args: 'x' }, /args must be an object/],
    ['a namespace that is no text', { method: 'go', namespace: {} }, /namespace/],
    ['a version that is no text', { method: 'go', version: 1.5 }, /version/],
  ])('%s - is acknowledged, reported and answered, and the next one is handled', async (_, message, text) => {
    const dropped: unknown[] = []
    const keep = (event: unknown): void => void dropped.push(event)
    subscribe('oslo-messaging:message-dropped', keep)
    const { fed, deliver, request, log, replies } = await createHandFedScene()
    await using _fed = fed
    try {
      await fed.serve({ go: () => 'fine' }, { workers: 1 })
      deliver(request(message, { uniqueId: 'u1' }))
      deliver(request(message, { expectsReply: false, uniqueId: 'u2' }))
      deliver(request({ method: 'go' }))
      await turn()
      expect(log.filter((line) => line.startsWith('ack'))).toHaveLength(3)
      expect(failureOf(replies[0])).toMatchObject({ class: 'SerializationError', message: expect.stringMatching(text) })
      expect(replies.slice(1)).toEqual([{ result: 'fine', failure: null }])
      expect(dropped).toMatchObject([
        { reason: 'unreadable', uniqueId: 'u1' },
        { reason: 'unreadable', uniqueId: 'u2' },
      ])
    } finally {
      unsubscribe('oslo-messaging:message-dropped', keep)
    }
  })

  it.each([{ method: 'go', args: null }, { method: 'go' }, { method: 'go', namespace: null, version: null }])(
    '%j is one that can be: what is missing has a default',
    async (message) => {
      const { fed, deliver, request, replies } = await createHandFedScene()
      await using _ = fed
      await fed.serve({ go: (_context: object, args: object) => Object.keys(args) })
      deliver(request(message))
      await turn()
      expect(replies).toEqual([{ result: [], failure: null }])
    },
  )
})

describe('RPC server - whatever a method throws is answered', () => {
  it.each([
    ['a text', 'plain'],
    ['nothing', undefined],
    ['an object without a prototype', Object.create(null) as object],
    ['a number', 7],
  ])('%s', async (_, thrown) => {
    const { fed, deliver, request, replies } = await createHandFedScene()
    await using _fed = fed
    await fed.serve({
      go: () => {
        throw thrown
      },
    })
    deliver(request({ method: 'go' }))
    await turn()
    expect(failureOf(replies[0])).toMatchObject({ class: 'Exception', module: 'builtins' })
    expect(fed.log.lines).toMatchObject([{ level: 'error' }])
  })

  it('a logger that fails does not keep the failure from the client, nor the worker from the next request', async () => {
    const logger = {
      ...silentLogger,
      error: () => {
        throw new Error('disk full')
      },
    }
    await using scene = await createScene({ logger })
    await scene.serve(
      {
        boom: () => {
          throw new ValueError('v')
        },
      },
      { workers: 1 },
    )
    for (const _ of [1, 2]) expect(await rejection(scene.client().call({}, 'boom'))).toBeInstanceOf(ValueError)
  })
})
