import assert from 'node:assert/strict'
import type { IncomingRequest } from '@oslo-messaging/core/driver'
import type { ConformanceCase } from '../case.ts'
import type { Harness } from '../harness.ts'
import { acknowledge, assertCode } from '../messages.ts'

/** Long calls that are monitored. Times are whole seconds, because that is what travels. */
export const rpcMonitorCases: readonly ConformanceCase[] = [
  {
    name: 'monitor - signs of life keep a call alive beyond its monitor timeout',
    needs: ['rpc', 'rpcCallMonitoring'],
    async run(harness) {
      const [server, client] = [await harness.open(), await harness.open()]
      const target = harness.target({ server: 'a' })
      const { inbox } = await harness.serve(server, target, { onRequest: acknowledge })
      const monitorMs = wholeSeconds(harness)
      const call = harness.call(client, target, 'long', {}, { callMonitorTimeoutMs: monitorMs })
      const failed = call.catch((error: unknown) => error)
      const request = await inbox.next('request')
      assert.equal(request.callMonitorTimeout, monitorMs / 1000, 'callMonitorTimeout arrives in seconds')
      for (let beat = 0; beat < 4; beat += 1) {
        await pause(monitorMs * 0.4)
        assert.equal(await harness.soon(request.heartbeat(), 'end of a heartbeat'), true, 'the client can be reached')
      }
      await harness.soon(request.reply({ result: 'done', failure: null }), 'end of the reply')
      assert.deepEqual(await harness.soon(failed, 'end of the call'), { result: 'done', failure: null })
    },
  },
  {
    name: 'monitor - silence ends the call with SERVER_LOST when the monitor timeout is over',
    needs: ['rpc', 'rpcCallMonitoring'],
    async run(harness) {
      const [server, client] = [await harness.open(), await harness.open()]
      const target = harness.target({ server: 'a' })
      const { inbox } = await harness.serve(server, target, { onRequest: acknowledge })
      const monitorMs = wholeSeconds(harness)
      const startedAt = performance.now()
      const failed = harness.rejection(
        harness.call(client, target, 'silence', {}, { callMonitorTimeoutMs: monitorMs }),
        'a call whose server is silent',
      )
      await inbox.next('request')
      assertCode(await failed, 'SERVER_LOST', 'a call whose server is silent')
      assert.ok(performance.now() - startedAt >= monitorMs - 2, 'not before the monitor timeout')
    },
  },
  {
    name: 'monitor - signs of life do not move the deadline of the call',
    needs: ['rpc', 'rpcCallMonitoring'],
    async run(harness) {
      const [server, client] = [await harness.open(), await harness.open()]
      const target = harness.target({ server: 'a' })
      const beating = new AbortController()
      const beat = (request: IncomingRequest): void => {
        const timer = setInterval(() => void request.heartbeat(), 50)
        beating.signal.addEventListener('abort', () => clearInterval(timer), { once: true })
      }
      const { inbox } = await harness.serve(server, target, {
        onRequest: (request) => {
          request.acknowledge()
          beat(request)
        },
      })
      try {
        const failed = harness.rejection(
          harness.call(
            client,
            target,
            'endless',
            {},
            {
              deadline: harness.deadline(1500),
              callMonitorTimeoutMs: wholeSeconds(harness),
            },
          ),
          'an endless call',
        )
        await inbox.next('request')
        assertCode(await failed, 'TIMEOUT', 'an endless call')
      } finally {
        beating.abort()
      }
    },
  },
]

const wholeSeconds = (harness: Harness): number => Math.ceil(harness.scaled(1000) / 1000) * 1000

/** Time is the subject of these cases, so it has to pass. */
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))
