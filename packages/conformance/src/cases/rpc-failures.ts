import assert from 'node:assert/strict'
import { Target } from '@oslo-messaging/core/driver'
import type { ConformanceCase } from '../case.ts'
import { assertCode, echo, methods } from '../messages.ts'

/** What happens when a call does not go well. */
export const rpcFailureCases: readonly ConformanceCase[] = [
  {
    name: 'failure - a call that nobody serves times out when its time is up',
    needs: ['rpc'],
    async run(harness) {
      const client = await harness.open()
      // The first send may have to connect; the second shows the deadline alone.
      await harness.cast(client, harness.target(), 'warm up')
      const timeoutMs = harness.scaled(300)
      const startedAt = performance.now()
      const call = harness.call(client, harness.target(), 'nobody', {}, { deadline: harness.deadline(300) })
      const error = await harness.rejection(call, 'a call that nobody serves')
      const elapsedMs = performance.now() - startedAt
      assertCode(error, 'TIMEOUT', 'a call that nobody serves')
      assert.ok(elapsedMs >= timeoutMs - 2, `not before its time: ${elapsedMs} ms of ${timeoutMs}`)
      assert.ok(elapsedMs < timeoutMs + harness.scaled(1000), `soon after its time: ${elapsedMs} ms of ${timeoutMs}`)
      assert.ok(typeof error['phase'] === 'string', 'the error says in which phase')
    },
  },
  {
    name: 'failure - a reply after the end is dropped, and the next call gets its own',
    needs: ['rpc'],
    async run(harness) {
      const [server, client] = [await harness.open(), await harness.open()]
      const target = harness.target({ server: 'a' })
      const { inbox } = await harness.serve(server, target)
      // Once round, so that the short deadline below is for the reply alone.
      const first = harness.call(client, target, 'warm up')
      echo(await inbox.next('request'))
      await first
      const call = harness.call(client, target, 'slow', {}, { deadline: harness.deadline(500), expiresInMs: null })
      const failed = harness.rejection(call, 'a call without an answer')
      const slow = await inbox.next('request')
      const error = await failed
      assertCode(error, 'TIMEOUT', 'a call without an answer')
      assert.equal(error['phase'], 'reply', 'the request had arrived, so it was the reply that did not come')
      assert.equal(error['delivery'], 'confirmed', 'the broker had the request')
      slow.acknowledge()
      await harness.soon(slow.reply({ result: 'late', failure: null }), 'end of the late reply')
      const next = harness.call(client, target, 'next', { n: 1 })
      echo(await inbox.next('request'))
      assert.deepEqual(await next, { result: { n: 1 }, failure: null })
    },
  },
  {
    name: 'failure - an aborted call rejects at once with the reason of its signal',
    needs: ['rpc'],
    async run(harness) {
      const [server, client] = [await harness.open(), await harness.open()]
      const target = harness.target({ server: 'a' })
      const { inbox } = await harness.serve(server, target)
      const controller = new AbortController()
      const reason = new Error('the caller changed its mind')
      const deadline = harness.deadline(undefined, controller.signal)
      const failed = harness.rejection(harness.call(client, target, 'wait', {}, { deadline }), 'an aborted call')
      await inbox.next('request')
      controller.abort(reason)
      assert.equal(await failed, reason)
    },
  },
  {
    name: 'failure - an unanswered request leaves the queue when its time is up',
    needs: ['rpc', 'rpcExpiry'],
    async run(harness) {
      const [server, client] = [await harness.open(), await harness.open()]
      const target = harness.target({ server: 'a' })
      const { inbox } = await harness.serve(server, target, { prefetch: 1 })
      await harness.cast(client, target, 'occupies')
      const occupying = await inbox.next('cast')
      // The one place is taken, so this one stays with the broker.
      const call = harness.call(client, target, 'expires', {}, { deadline: harness.deadline(500) })
      assertCode(await harness.rejection(call, 'the call in the queue'), 'TIMEOUT', 'the call in the queue')
      // The broker's clock for the message started later than the caller's, by the way there.
      await new Promise((resolve) => setTimeout(resolve, harness.scaled(harness.knobs.expiryResolutionMs ?? 250)))
      await harness.cast(client, target, 'fence')
      occupying.acknowledge()
      assert.deepEqual(methods([await inbox.next('fence')]), ['fence'], 'the expired request was delivered')
    },
  },
  {
    name: 'failure - at least once: no queue takes it, and call and cast say so at once',
    needs: ['rpc', 'rpcAtLeastOnce'],
    async run(harness) {
      const client = await harness.open()
      const target = harness.target()
      const call = harness.call(client, target, 'm', {}, { atLeastOnce: true })
      const error = await harness.rejection(call, 'a call no queue takes')
      assertCode(error, 'UNDELIVERABLE', 'a call no queue takes')
      assert.ok(String(error['routingKey']).includes(target.topic!), 'routingKey names where it was to go')
      const cast = harness.cast(client, target, 'm', {}, { atLeastOnce: true })
      assertCode(await harness.rejection(cast, 'a cast no queue takes'), 'UNDELIVERABLE', 'a cast no queue takes')
    },
  },
  {
    name: 'failure - at least once: with a server it is an ordinary call',
    needs: ['rpc', 'rpcAtLeastOnce'],
    async run(harness) {
      const driver = await harness.open()
      const target = harness.target({ server: 'a' })
      await harness.serve(driver, target, { onRequest: echo })
      const reply = await harness.call(driver, target, 'm', { n: 1 }, { atLeastOnce: true })
      assert.deepEqual(reply, { result: { n: 1 }, failure: null })
    },
  },
  {
    name: 'failure - a request that JSON cannot carry is refused and never sent',
    needs: ['rpc'],
    async run(harness) {
      const driver = await harness.open()
      const target = harness.target({ server: 'a' })
      const { inbox } = await harness.serve(driver, target, { onRequest: echo })
      const error = await harness.rejection(harness.call(driver, target, 'circle', circle()), 'a circular argument')
      assertCode(error, 'SERIALIZATION', 'a circular argument')
      await harness.call(driver, target, 'fence')
      assert.deepEqual(methods(inbox.all), ['fence'])
    },
  },
  {
    name: 'failure - a result that JSON cannot carry rejects in reply, and a failure can be sent instead',
    needs: ['rpc'],
    async run(harness) {
      const driver = await harness.open()
      const target = harness.target({ server: 'a' })
      const { inbox } = await harness.serve(driver, target)
      const call = harness.call(driver, target, 'm')
      const request = await inbox.next('request')
      request.acknowledge()
      const error = await harness.rejection(request.reply({ result: circle(), failure: null }), 'a circular result')
      assertCode(error, 'SERIALIZATION', 'a circular result')
      await harness.soon(request.reply({ result: null, failure: '{"class": "TypeError"}' }), 'end of the second reply')
      assert.deepEqual(await call, { result: null, failure: '{"class": "TypeError"}' })
    },
  },
  {
    name: 'failure - a request handed back goes to another server',
    needs: ['rpc'],
    async run(harness) {
      const topic = harness.unique()
      const driver = await harness.open()
      const first = await harness.serve(driver, new Target({ topic, server: 'a' }), { prefetch: 1 })
      const call = harness.call(driver, new Target({ topic }), 'm', { n: 1 })
      const request = await first.inbox.next('request')
      await harness.serve(await harness.open(), new Target({ topic, server: 'b' }), { onRequest: echo })
      await harness.soon(first.listener.stop(), 'end of stop')
      request.requeue()
      assert.deepEqual(await harness.soon(call, 'reply'), { result: { n: 1 }, failure: null })
    },
  },
  {
    name: 'failure - what a closed listener had not settled goes to another server, in order',
    needs: ['rpc'],
    async run(harness) {
      const topic = harness.unique()
      const driver = await harness.open()
      const client = await harness.open()
      const first = await harness.serve(driver, new Target({ topic, server: 'a' }))
      for (const method of ['one', 'two', 'three']) await harness.cast(client, new Target({ topic }), method)
      const [settled] = await first.inbox.take(3, 'casts')
      settled!.acknowledge()
      // Before the first one goes: not every broker keeps requests while nobody listens.
      const second = await harness.serve(driver, new Target({ topic, server: 'b' }))
      await harness.soon(first.listener.close(), 'end of close')
      const again = await second.inbox.take(2, 'casts handed back')
      assert.deepEqual(methods(again), ['two', 'three'])
    },
  },
  {
    name: 'failure - the first settlement of a request counts',
    needs: ['rpc'],
    async run(harness) {
      const driver = await harness.open()
      const target = harness.target({ server: 'a' })
      const { inbox } = await harness.serve(driver, target)
      await harness.cast(driver, target, 'once')
      const request = await inbox.next('cast')
      request.acknowledge()
      request.acknowledge()
      request.requeue()
      await harness.cast(driver, target, 'fence')
      assert.deepEqual(methods([await inbox.next('fence')]), ['fence'])
    },
  },
]

function circle(): Readonly<Record<string, unknown>> {
  const value: Record<string, unknown> = {}
  value['itself'] = value
  return value
}
