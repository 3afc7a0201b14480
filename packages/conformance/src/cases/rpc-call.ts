import assert from 'node:assert/strict'
import type { IncomingRequest } from '@oslo-messaging/core/driver'
import { Target } from '@oslo-messaging/core/driver'
import type { ConformanceCase } from '../case.ts'
import { ascending, echo, methods } from '../messages.ts'

const VALUES: readonly unknown[] = [
  null,
  false,
  true,
  0,
  -1.5,
  2 ** 53 - 1,
  '',
  'żółw 🐢 \u0000 "\\',
  [],
  [1, [2, { three: 3 }]],
  {},
  { a: { b: [null] }, 'dotted.key': 1 },
]

/** A broker may take turns or draw lots: a server that has had none of so many calls is passed over. */
const LEAST_CALLS = 14
const MOST_CALLS = 60

/** Calls and their replies (CallTestCase). */
export const rpcCallCases: readonly ConformanceCase[] = [
  {
    name: 'call - every kind of JSON value arrives as an argument and comes back as the result',
    needs: ['rpc'],
    async run(harness) {
      const target = harness.target({ server: 'a' })
      await harness.serve(await harness.open(), target, { onRequest: echo })
      const client = await harness.open()
      for (const value of VALUES) {
        const reply = await harness.call(client, target, 'echo', { value })
        assert.deepEqual(reply, { result: { value }, failure: null })
      }
    },
  },
  {
    name: 'call - the request arrives complete',
    needs: ['rpc'],
    async run(harness) {
      const driver = await harness.open()
      const target = harness.target({ server: 'a' })
      const { inbox } = await harness.serve(driver, target, { onRequest: echo })
      const context = { request_id: 'req-1', roles: ['admin'], nothing: null }
      const message = { method: 'resize', args: { id: 7 }, namespace: 'ns', version: '1.9' }
      await driver.send(target, { context, message, headers: { traceparent: '00-aa-bb-01' } }, harness.sendOptions())
      const request = await inbox.next('request')
      // Drivers may add what oslo's own adds: on rabbit endpoints see the client's monitor timeout there.
      const { client_timeout: _, ...received } = request.context
      assert.deepEqual(received, context, 'context')
      assert.deepEqual({ ...request.message }, message, 'message: nothing of the headers or the driver is in it')
      assert.equal(request.expectsReply, true, 'expectsReply')
      assert.equal(request.callMonitorTimeout, null, 'callMonitorTimeout')
      assert.notEqual(request.redelivered, true, 'redelivered')
    },
  },
  {
    name: 'call - a failure arrives as the text it was sent as',
    needs: ['rpc'],
    async run(harness) {
      const driver = await harness.open()
      const target = harness.target({ server: 'a' })
      const failure = '{"class": "ValueError", "module": "builtins", "message": "no \\u00fcse", "tail": []}'
      await harness.serve(driver, target, {
        onRequest: (request) => {
          request.acknowledge()
          void request.reply({ result: null, failure })
        },
      })
      assert.deepEqual(await harness.call(driver, target, 'fail'), { result: null, failure })
    },
  },
  {
    name: 'call - servers of one topic share its calls, each call is served once and in order per server',
    needs: ['rpc'],
    async run(harness) {
      const topic = harness.unique()
      const servers = await Promise.all(
        ['a', 'b', 'c'].map(async (server) =>
          harness.serve(await harness.open(), new Target({ topic, server }), { onRequest: echo }),
        ),
      )
      const client = await harness.open()
      const isOwed = (): boolean => servers.some(({ inbox }) => inbox.all.length === 0)
      let calls = 0
      for (; calls < LEAST_CALLS || (isOwed() && calls < MOST_CALLS); calls += 1)
        await harness.call(client, new Target({ topic }), `m${calls}`)
      const served = servers.map(({ inbox }) =>
        inbox.all.map(({ message }) => Number(String(message['method']).slice(1))),
      )
      for (const [index, list] of served.entries()) {
        assert.ok(list.length > 0, `server ${index} got no call: ${JSON.stringify(served)}`)
        assert.deepEqual(list, ascending(list), `server ${index} got calls out of order`)
      }
      const all = ascending(served.flat())
      assert.deepEqual(
        all,
        Array.from({ length: calls }, (_, n) => n),
        'each call exactly once',
      )
    },
  },
  {
    name: 'call - a named server alone gets the calls addressed to it',
    needs: ['rpc'],
    async run(harness) {
      const topic = harness.unique()
      const driver = await harness.open()
      const [a, b] = [new Target({ topic, server: 'a' }), new Target({ topic, server: 'b' })]
      const first = await harness.serve(driver, a, { onRequest: echo })
      const second = await harness.serve(await harness.open(), b, { onRequest: echo })
      for (const method of ['one', 'two', 'three']) await harness.call(driver, b, method)
      assert.deepEqual(methods(second.inbox.all), ['one', 'two', 'three'])
      assert.deepEqual(methods(first.inbox.all), [])
    },
  },
  {
    name: 'call - parallel replies in any order reach their own callers',
    needs: ['rpc'],
    async run(harness) {
      const [server, client] = [await harness.open(), await harness.open()]
      const target = harness.target({ server: 'a' })
      const { inbox } = await harness.serve(server, target)
      const calls = Array.from({ length: 40 }, (_, n) => harness.call(client, target, 'echo', { n }))
      const requests = await inbox.take(40, 'requests')
      for (const request of [...requests].reverse()) echo(request)
      const replies = await harness.soon(Promise.all(calls), 'all replies')
      assert.deepEqual(
        replies.map(({ result }) => result),
        Array.from({ length: 40 }, (_, n) => ({ n })),
      )
    },
  },
  {
    name: 'call - exchanges keep the same topic apart',
    needs: ['rpc', 'exchanges for rpc'],
    async run(harness) {
      const topic = harness.unique()
      const driver = await harness.open()
      const exchanges = [null, harness.unique('exchange-a'), harness.unique('exchange-b')]
      const servers = []
      for (const exchange of exchanges) {
        const target = new Target({ topic, server: 'a', exchange })
        servers.push(await harness.serve(driver, target, { onRequest: echo }))
      }
      for (const [index, exchange] of exchanges.entries()) {
        await harness.call(driver, new Target({ topic, exchange }), `topic ${index}`)
        await harness.call(driver, new Target({ topic, exchange, server: 'a' }), `server ${index}`)
      }
      for (const [index, { inbox }] of servers.entries())
        assert.deepEqual(methods(inbox.all), [`topic ${index}`, `server ${index}`])
    },
  },
  {
    name: 'call - virtual hosts keep the same topic apart',
    needs: ['rpc', 'virtualHosts', 'knob vhosts'],
    async run(harness) {
      const target = harness.target({ server: 'a' })
      const [one, two] = harness.knobs.vhosts!
      const first = await harness.open({ vhost: one })
      const second = await harness.open({ vhost: two })
      const here = await harness.serve(first, target, { onRequest: echo })
      const there = await harness.serve(second, target, { onRequest: echo })
      await harness.call(first, target, 'first')
      await harness.call(second, target, 'second')
      assert.deepEqual(methods(here.inbox.all), ['first'])
      assert.deepEqual(methods(there.inbox.all), ['second'])
    },
  },
  {
    name: 'call - caller and server share no object',
    needs: ['rpc'],
    async run(harness) {
      const driver = await harness.open()
      const target = harness.target({ server: 'a' })
      const { inbox } = await harness.serve(driver, target)
      const args = { list: [1] }
      const call = harness.call(driver, target, 'keep', args)
      const request: IncomingRequest = await inbox.next('request')
      args.list.push(2)
      const received = request.message['args'] as { list: number[] }
      assert.deepEqual(received, { list: [1] }, 'a change by the caller after sending reached the server')
      const result = { list: [3] }
      request.acknowledge()
      const replied = request.reply({ result, failure: null })
      result.list.push(4)
      await replied
      assert.deepEqual((await call).result, { list: [3] }, 'a change by the server after replying reached the caller')
    },
  },
  {
    name: 'call - tells the server how long its caller waits, and a cast does not',
    needs: ['rpc', 'rpcExpiry'],
    async run(harness) {
      const driver = await harness.open()
      const target = harness.target({ server: 'a' })
      const { inbox } = await harness.serve(await harness.open(), target, { onRequest: echo })
      const deadline = harness.deadline()
      await harness.call(driver, target, 'call', {}, { deadline })
      await harness.cast(driver, target, 'cast')
      const [call, cast] = await inbox.take(2, 'requests')
      const { expiresInMs = NaN } = call!
      assert.ok(
        expiresInMs > 0 && expiresInMs <= (deadline.timeoutMs ?? 0) + 1000,
        `expiresInMs of a call: ${expiresInMs}`,
      )
      assert.equal(cast!.expiresInMs, undefined, 'expiresInMs of a cast')
    },
  },
]
