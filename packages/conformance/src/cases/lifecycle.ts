import assert from 'node:assert/strict'
import type { ConformanceCase } from '../case.ts'
import { acknowledge, assertCode, echo, payloads } from '../messages.ts'

/** Opening, closing, stopping, health. */
export const lifecycleCases: readonly ConformanceCase[] = [
  {
    name: 'lifecycle - a driver that was never used closes, and closes again',
    needs: [],
    async run(harness) {
      const driver = await harness.open()
      const { status } = driver.health()
      assert.ok(['idle', 'ok', 'degraded'].includes(status), `a new driver is idle or on its way, not ${status}`)
      await harness.soon(Promise.all([driver.close(), driver.close()]), 'end of two concurrent closes')
      await harness.soon(driver.close(), 'end of a third close')
    },
  },
  {
    name: 'lifecycle - health shows a subscription that consumes',
    needs: ['notifications'],
    async run(harness) {
      const driver = await harness.open()
      await harness.subscribe(driver, harness.target())
      const health = driver.health()
      assert.equal(health.status, 'ok', `health after listening: ${JSON.stringify(health)}`)
      const listener = health.components.find(({ kind }) => kind === 'listener')
      assert.equal(listener?.state, 'consuming', `a listener component that consumes: ${JSON.stringify(health)}`)
      assert.ok(Math.abs(Date.now() - listener.sinceMs) < 10 * 60_000, 'sinceMs is wall time in milliseconds')
    },
  },
  {
    name: 'lifecycle - a closed listener has its promise resolved and closes again; so does a stopped one',
    needs: ['notifications'],
    async run(harness) {
      const driver = await harness.open()
      const { listener } = await harness.subscribe(driver, harness.target())
      await harness.soon(Promise.all([listener.stop(), listener.stop()]), 'end of two stops')
      await harness.soon(Promise.all([listener.close(), listener.close()]), 'end of two closes')
      await harness.soon(listener.closed, 'resolution of closed')
      await harness.soon(listener.stop(), 'end of a stop after close')
    },
  },
  {
    name: 'lifecycle - nothing is delivered after stop, and what was delivered can still be settled and answered',
    needs: ['rpc'],
    async run(harness) {
      const driver = await harness.open()
      const client = await harness.open()
      const target = harness.target({ server: 'a' })
      const { listener, inbox } = await harness.serve(driver, target)
      const call = harness.call(client, target, 'before')
      const request = await inbox.next('request before stop')
      await harness.soon(listener.stop(), 'end of stop')
      await harness.cast(client, target, 'after')
      request.acknowledge()
      await harness.soon(request.reply({ result: 'answered', failure: null }), 'end of the reply')
      assert.deepEqual(await harness.soon(call, 'reply'), { result: 'answered', failure: null })
      // Another server of the topic is a fence: its round trip takes longer than a delivery would have.
      const other = harness.target({ server: 'fence' })
      await harness.serve(driver, other, { onRequest: echo })
      await harness.call(client, other, 'fence')
      assert.deepEqual(
        inbox.all.map(({ message }) => message['method']),
        ['before'],
        'a stopped listener got a message',
      )
    },
  },
  {
    name: 'lifecycle - closing the driver closes its listeners',
    needs: ['notifications'],
    async run(harness) {
      const driver = await harness.open()
      const { listener } = await harness.subscribe(driver, harness.target())
      await harness.soon(driver.close(), 'end of close')
      await harness.soon(listener.closed, 'resolution of the listener')
    },
  },
  {
    name: 'lifecycle - closing the driver rejects a waiting call with CLOSED',
    needs: ['rpc'],
    async run(harness) {
      const server = await harness.open()
      const client = await harness.open()
      const target = harness.target({ server: 'a' })
      const { inbox } = await harness.serve(server, target)
      const call = harness.rejection(harness.call(client, target, 'silence'), 'a call whose driver closes')
      await inbox.next('request')
      await harness.soon(client.close({ signal: AbortSignal.abort() }), 'end of close without patience')
      assertCode(await call, 'CLOSED', 'a call whose driver closes')
    },
  },
  {
    name: 'lifecycle - what was accepted before close is delivered',
    needs: ['notifications', 'storesBeforeListeners'],
    async run(harness) {
      const target = harness.target()
      const sender = await harness.open()
      const sent = harness.notify(sender, target, 'info', 'last words')
      await sent
      await harness.soon(sender.close(), 'end of close')
      const { inbox } = await harness.subscribe(await harness.open(), target, { onNotification: acknowledge })
      assert.deepEqual(payloads([await inbox.next('notification')]), ['last words'])
    },
  },
  {
    name: 'lifecycle - two drivers of one broker close apart',
    needs: ['notifications'],
    async run(harness) {
      const [first, second] = [await harness.open(), await harness.open()]
      const target = harness.target()
      const { inbox } = await harness.subscribe(second, target, { onNotification: acknowledge })
      await harness.soon(first.close(), 'end of close')
      await harness.notify(second, target, 'info', 'still here')
      assert.deepEqual(payloads([await inbox.next('notification')]), ['still here'])
    },
  },
]
