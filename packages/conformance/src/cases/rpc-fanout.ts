import assert from 'node:assert/strict'
import { Target } from '@oslo-messaging/core/driver'
import type { ConformanceCase } from '../case.ts'
import { acknowledge, methods } from '../messages.ts'

/** Casts to every server of a topic. */
export const rpcFanoutCases: readonly ConformanceCase[] = [
  {
    name: 'fanout - every server gets each cast once, in order, even when a server is named',
    needs: ['rpc', 'rpcFanout'],
    async run(harness) {
      const topic = harness.unique()
      const servers = []
      for (const server of ['a', 'b', 'c'])
        servers.push(
          await harness.serve(await harness.open(), new Target({ topic, server }), { onRequest: acknowledge }),
        )
      const client = await harness.open()
      await harness.cast(client, new Target({ topic, fanout: true }), 'one')
      await harness.cast(client, new Target({ topic, fanout: true, server: 'b' }), 'two')
      await harness.cast(client, new Target({ topic, fanout: true }), 'three')
      for (const { inbox } of servers) {
        const got = await inbox.take(3, 'casts')
        assert.deepEqual(methods(got), ['one', 'two', 'three'])
        assert.equal(got[0]!.expectsReply, false, 'expectsReply')
      }
      // The servers' own queues are a fence behind which a second copy would show.
      for (const [index, server] of ['a', 'b', 'c'].entries()) {
        await harness.cast(client, new Target({ topic, server }), 'fence')
        assert.equal((await servers[index]!.inbox.next('fence')).message['method'], 'fence')
      }
    },
  },
  {
    name: 'fanout - a server that has left does not hold up the others',
    needs: ['rpc', 'rpcFanout'],
    async run(harness) {
      const topic = harness.unique()
      const driver = await harness.open()
      const gone = await harness.serve(driver, new Target({ topic, server: 'gone' }))
      const here = await harness.serve(driver, new Target({ topic, server: 'here' }), { onRequest: acknowledge })
      await harness.soon(gone.listener.close(), 'end of close')
      await harness.cast(driver, new Target({ topic, fanout: true }), 'one')
      assert.deepEqual(methods([await here.inbox.next('cast')]), ['one'])
      assert.deepEqual(methods(gone.inbox.all), [])
    },
  },
  {
    name: 'fanout - nobody listening is no error',
    needs: ['rpc', 'rpcFanout'],
    async run(harness) {
      await harness.cast(await harness.open(), new Target({ topic: harness.unique(), fanout: true }), 'nobody')
    },
  },
]
