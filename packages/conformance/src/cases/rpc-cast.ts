import assert from 'node:assert/strict'
import { type IncomingRequest, Target } from '@oslo-messaging/core/driver'
import type { ConformanceCase } from '../case.ts'
import type { Subscribed } from '../harness.ts'
import { acknowledge, methods } from '../messages.ts'
import { untilTogether } from '../inbox.ts'

/** Casts (CastTestCase). */
export const rpcCastCases: readonly ConformanceCase[] = [
  {
    name: 'cast - arrives once and asks for no reply',
    needs: ['rpc'],
    async run(harness) {
      const driver = await harness.open()
      const target = harness.target({ server: 'a' })
      const { inbox } = await harness.serve(driver, target)
      await harness.cast(await harness.open(), target, 'tell', { n: 1 })
      const request = await inbox.next('cast')
      assert.deepEqual({ ...request.message }, { method: 'tell', args: { n: 1 } })
      assert.equal(request.expectsReply, false, 'expectsReply')
      request.acknowledge()
      await harness.soon(request.reply({ result: 1, failure: null }), 'end of a reply that goes nowhere')
      assert.equal(await harness.soon(request.heartbeat(), 'end of a heartbeat that goes nowhere'), false)
    },
  },
  {
    name: 'cast - a named server alone gets it',
    needs: ['rpc'],
    async run(harness) {
      const topic = harness.unique()
      const driver = await harness.open()
      const [a, b] = [new Target({ topic, server: 'a' }), new Target({ topic, server: 'b' })]
      const first = await harness.serve(driver, a, { onRequest: acknowledge })
      const second = await harness.serve(await harness.open(), b, { onRequest: acknowledge })
      await harness.cast(driver, b, 'for b')
      await second.inbox.next('cast')
      await harness.cast(driver, a, 'for a')
      await first.inbox.next('cast')
      assert.deepEqual(methods(first.inbox.all), ['for a'])
      assert.deepEqual(methods(second.inbox.all), ['for b'])
    },
  },
  {
    name: 'cast - servers of one topic share its casts',
    needs: ['rpc'],
    async run(harness) {
      const topic = harness.unique()
      const servers: Subscribed<IncomingRequest>[] = []
      const held: IncomingRequest[] = []
      let isHeld = true
      const onRequest = (request: IncomingRequest): void => {
        if (isHeld) held.push(request)
        else request.acknowledge()
      }
      // Each takes one and keeps it: brokers need not be fair to servers that have room.
      for (const server of ['a', 'b', 'c'])
        servers.push(
          await harness.serve(await harness.open(), new Target({ topic, server }), { prefetch: 1, onRequest }),
        )
      const client = await harness.open()
      for (let n = 0; n < 20; n += 1) await harness.cast(client, new Target({ topic }), `m${n}`)
      const inboxes = servers.map(({ inbox }) => inbox)
      await untilTogether(inboxes, () => inboxes.every(({ all }) => all.length > 0), 'a cast on each of three servers')
      isHeld = false
      for (const request of held) request.acknowledge()
      const total = (): number => inboxes.reduce((sum, { all }) => sum + all.length, 0)
      await untilTogether(inboxes, () => total() >= 20, '20 casts on three servers')
      assert.equal(total(), 20, `each cast once: ${inboxes.map(({ all }) => all.length).join(', ')}`)
    },
  },
  {
    name: 'cast - to a topic nobody serves resolves',
    needs: ['rpc'],
    async run(harness) {
      await harness.cast(await harness.open(), harness.target(), 'nobody')
    },
  },
  {
    name: 'cast - acknowledged after: what a server had not finished goes to another, what it had does not',
    needs: ['rpc', 'rpcLateAcknowledgement'],
    async run(harness) {
      const target = harness.target({ server: 'a' })
      const topic = target.with({ server: null })
      const driver = await harness.open()
      const first = await harness.serve(await harness.open(), target, { acknowledge: 'after' })
      await harness.cast(driver, topic, 'done')
      await harness.cast(driver, topic, 'half done')
      const [done, half] = await first.inbox.take(2, 'casts')
      for (const request of [done!, half!]) request.acknowledge()
      done!.finished?.()
      await harness.soon(first.listener.close(), 'end of close')
      const second = await harness.serve(await harness.open(), target, { onRequest: acknowledge })
      assert.deepEqual(methods([await second.inbox.next('cast that was not finished')]), ['half done'])
      await harness.cast(driver, topic, 'fence')
      assert.deepEqual(methods([await second.inbox.next('fence')]), ['fence'])
    },
  },
]
