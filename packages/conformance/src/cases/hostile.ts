import assert from 'node:assert/strict'
import type { ConformanceCase } from '../case.ts'
import { acknowledge, echo, payloads } from '../messages.ts'

const DEEP = 20_000
/** Most time that reading a body may keep the event loop, milliseconds before scaling. */
const STALL_MS = 2_000

/** Bodies that a peer with a fault, or with intent, puts where messages are read. */
const BODIES: Readonly<Record<string, string>> = {
  empty: '',
  blank: ' ',
  'half an object': '{"oslo.message": "{',
  null: 'null',
  'a number': '1e400',
  'a list': '[]',
  'a text': '"text"',
  'deep lists': '['.repeat(DEEP) + ']'.repeat(DEEP),
  'deep objects': '{"a":'.repeat(DEEP) + '1' + '}'.repeat(DEEP),
  'an envelope of nothing': '{"oslo.version":"2.0"}',
  'an envelope of a number': '{"oslo.version":"2.0","oslo.message":5}',
  'an envelope of garbage': '{"oslo.version":"2.0","oslo.message":"{"}',
  'an envelope of the future': '{"oslo.version":"9.0","oslo.message":"{}"}',
  'an envelope of deep lists': JSON.stringify({ 'oslo.version': '2.0', 'oslo.message': '['.repeat(DEEP) }),
  'prototype fields': '{"__proto__":{"polluted":true},"constructor":{"prototype":{"polluted":true}}}',
  'private fields of the wrong type':
    '{"_unique_id":{},"_reply_q":7,"_msg_id":[],"_timeout":"soon","_context_":1,"method":{}}',
  'a lone surrogate': '{"oslo.version":"2.0","oslo.message":"{\\"payload\\":\\"\\\\ud800\\"}"}',
  'not UTF-8 any more': '\uFFFD\u0000\u0001',
  'a number of a thousand digits': `{"payload":${'9'.repeat(1000)}}`,
}

/** Hostile bodies cost their own message, and nothing else. */
export const hostileCases: readonly ConformanceCase[] = [
  {
    name: 'hostile - no body among notifications ends the listener, stalls the process, or reaches a prototype',
    level: 2,
    needs: ['notifications', 'knob makeUnreadable'],
    async run(harness) {
      const driver = await harness.open()
      const target = harness.target()
      const { inbox } = await harness.subscribe(driver, target, { onNotification: acknowledge })
      for (const [what, text] of Object.entries(BODIES)) {
        harness.note(`body: ${what}`)
        await harness.knobs.makeUnreadable!({
          kind: 'notification',
          exchange: target.exchange,
          topic: target.topic!,
          priority: 'info',
          text,
        })
        const startedAt = performance.now()
        await harness.notify(driver, target, 'info', what)
        await inbox.until((all) => payloads(all).includes(what), `the good notification behind the body: ${what}`)
        const tookMs = performance.now() - startedAt
        assert.ok(tookMs < harness.scaled(STALL_MS), `it took ${Math.round(tookMs)} ms behind the body: ${what}`)
      }
      assert.equal(({} as { polluted?: unknown }).polluted, undefined, 'a body has reached Object.prototype')
    },
  },
  {
    name: 'hostile - no body among requests ends the server, stalls the process, or reaches a prototype',
    level: 2,
    needs: ['rpc', 'knob makeUnreadable'],
    async run(harness) {
      const driver = await harness.open()
      const target = harness.target({ server: 'a' })
      await harness.serve(driver, target, {
        onRequest: (request) => (request.message['method'] === 'good' ? echo(request) : request.acknowledge()),
      })
      for (const [what, text] of Object.entries(BODIES)) {
        harness.note(`body: ${what}`)
        await harness.knobs.makeUnreadable!({
          kind: 'request',
          exchange: target.exchange,
          topic: target.topic!,
          priority: null,
          text,
        })
        const startedAt = performance.now()
        await harness.call(driver, target, 'good', { what })
        const tookMs = performance.now() - startedAt
        assert.ok(tookMs < harness.scaled(STALL_MS), `it took ${Math.round(tookMs)} ms behind the body: ${what}`)
      }
      assert.equal(({} as { polluted?: unknown }).polluted, undefined, 'a body has reached Object.prototype')
    },
  },
]
