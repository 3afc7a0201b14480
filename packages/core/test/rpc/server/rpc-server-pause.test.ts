import { describe, expect, it } from 'vitest'
import { createManualClock } from '../../../src/testing.ts'
import { createDeferred } from '../../../src/util/deferred.ts'
import { createScene } from '../scene.ts'

describe('RPC server - pause', () => {
  it('takes nothing while its methods fail, leaves requests with the broker, tries one and goes on', async () => {
    const clock = createManualClock()
    await using scene = await createScene({ clock })
    let isBroken = true
    const ran: number[] = []
    const server = await scene.serve(
      {
        work(_ctxt: object, { id }: { id: number }) {
          ran.push(id)
          if (isBroken) throw new Error('the database is down')
        },
      },
      { workers: 1, pause: { share: 1, window: 2, retryAfterMs: 1000 } },
    )
    const client = scene.client()
    for (const id of [1, 2, 3, 4]) await client.cast({}, 'work', { id })
    await clock.advance(0)
    expect(ran).toEqual([1, 2])
    expect(scene.transport.health()).toMatchObject({
      status: 'degraded',
      components: expect.arrayContaining([
        expect.objectContaining({ state: 'paused', reason: expect.stringContaining('the database is down') }),
      ]),
    })
    isBroken = false
    await clock.advance(1000)
    expect(ran).toEqual([1, 2, 3, 4])
    expect(scene.transport.health().status).toBe('ok')
    await server.stop()
  })

  it('with late acknowledgement what it holds stays unsettled: another server gets it when the paused one stops', async () => {
    const clock = createManualClock()
    await using scene = await createScene({ clock })
    const ran: number[] = []
    const server = await scene.serve(
      {
        work(_ctxt: object, { id }: { id: number }) {
          ran.push(id)
          throw new Error('the database is down')
        },
      },
      { workers: 1, acknowledge: 'after', pause: { share: 1, window: 2, retryAfterMs: 1000 } },
    )
    const client = scene.client()
    for (const id of [1, 2, 3, 4]) await client.cast({}, 'work', { id })
    await clock.advance(0)
    expect(ran).toEqual([1, 2])
    // The one that is tried fails, and it goes on waiting.
    await clock.advance(1000)
    expect(ran).toEqual([1, 2, 3])
    expect(scene.transport.health().status).toBe('degraded')
    const elsewhere: number[] = []
    const work = (_ctxt: object, { id }: { id: number }): void => void elsewhere.push(id)
    await scene.serve({ work }, { acknowledge: 'after' }, { server: 'other' })
    await server.stop()
    await clock.advance(0)
    expect([ran, elsewhere]).toEqual([[1, 2, 3], [4]])
  })
})

describe('RPC server - acknowledgement point', () => {
  it.each([
    { acknowledge: 'before', again: [] },
    { acknowledge: 'after', again: ['work'] },
  ] as const)('$acknowledge - a request whose server loses its connection: run again $again', async (row) => {
    await using scene = await createScene()
    const gate = createDeferred<void>()
    const ran: string[] = []
    const work = async (): Promise<void> => {
      ran.push('work')
      if (ran.length === 1) await gate.promise
    }
    await scene.serve({ work }, { acknowledge: row.acknowledge })
    await scene.client().cast({}, 'work')
    await expect.poll(() => ran.length).toBe(1)
    scene.faults.disconnect()
    scene.faults.reconnect()
    gate.resolve()
    const fence = createDeferred<void>()
    await scene.serve({ fence: () => fence.resolve() }, {}, { server: 'other' })
    await scene.client().prepare({ server: 'other' }).cast({}, 'fence')
    await fence.promise
    expect(ran.slice(1)).toEqual(row.again)
  })

  it('a word that is none names the field and what would do', async () => {
    await using scene = await createScene()
    expect(() => scene.server({}, { acknowledge: 'later' as 'after' })).toThrow(
      'acknowledge must be one of before, after',
    )
  })
})
