import { describe, expect, it } from 'vitest'
import type { IncomingRequest } from '../../../src/driver/messages.ts'
import { createManualClock } from '../../../src/testing.ts'
import { createDeferred } from '../../../src/util/deferred.ts'
import { createScene, turn } from '../scene.ts'
import { createHandFedScene } from './hand-fed-scene.ts'

describe('D15 heartbeats (WIRE 2.3)', () => {
  async function monitored(callMonitorTimeout: number | null, changes: Partial<IncomingRequest> = {}) {
    const clock = createManualClock()
    const scripted = await createHandFedScene()
    await scripted.fed[Symbol.asyncDispose]()
    let deliver: (request: IncomingRequest) => void = () => {}
    const timed = await createScene({
      clock,
      driver: (memory) => ({
        ...memory,
        open: async (url, context) => {
          const driver = await memory.open(url, context)
          driver.listen = async (_target, options) => {
            deliver = options.onMessage
            return { closed: new Promise(() => {}), stop: async () => {}, close: async () => {} }
          }
          return driver
        },
      }),
    })
    const done = createDeferred<unknown>()
    let beats = 0
    await timed.serve({ slow: () => done.promise })
    const send = (method: string): void =>
      deliver(
        scripted.request(
          { method },
          {
            callMonitorTimeout,
            heartbeat: async () => {
              beats += 1
              return true
            },
            ...changes,
          },
        ),
      )
    const pass = async (ms: number): Promise<number> => {
      for (let passed = 0; passed < ms; passed += 250) {
        await clock.advance(250)
        await turn()
      }
      return beats
    }
    return { timed, send, pass, done }
  }

  it.each([
    [2, 1000],
    [5, 2500],
    [3.9, 1500],
  ])('a monitor timeout of %s s - one every %s ms, the first after one interval', async (timeout, intervalMs) => {
    const { timed, send, pass, done } = await monitored(timeout)
    await using _ = timed
    send('slow')
    expect(await pass(intervalMs - 250)).toBe(0)
    expect(await pass(250)).toBe(1)
    expect(await pass(3 * intervalMs)).toBe(4)
    done.resolve(1)
    await turn()
    expect(await pass(10_000)).toBe(4)
  })

  it.each([[1], [1.9], [0], [-5], [Number.NaN], [null]])('a monitor timeout of %s gets none', async (timeout) => {
    const { timed, send, pass } = await monitored(timeout)
    await using _ = timed
    send('slow')
    expect(await pass(20_000)).toBe(0)
  })

  it('they end when the method fails', async () => {
    const { timed, send, pass, done } = await monitored(2)
    await using _ = timed
    send('slow')
    expect(await pass(1000)).toBe(1)
    done.reject(new Error('no'))
    await turn()
    expect(await pass(10_000)).toBe(1)
  })

  it('they never begin for a method that does not exist (WIRE 10.2)', async () => {
    const { timed, send, pass } = await monitored(2)
    await using _ = timed
    send('missing')
    expect(await pass(10_000)).toBe(0)
  })

  it('they end when the client cannot be reached', async () => {
    let asked = 0
    const { timed, send, pass } = await monitored(2, {
      heartbeat: async () => {
        asked += 1
        return asked < 2
      },
    })
    await using _ = timed
    send('slow')
    await pass(10_000)
    expect(asked).toBe(2)
  })

  it('a cast gets none', async () => {
    const { timed, send, pass } = await monitored(2, { expectsReply: false })
    await using _ = timed
    send('slow')
    expect(await pass(10_000)).toBe(0)
  })
})
