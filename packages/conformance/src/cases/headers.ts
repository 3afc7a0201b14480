import assert from 'node:assert/strict'
import type { ConformanceCase } from '../case.ts'

/** A trace context as W3C writes it. */
const HEADERS = {
  traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
  tracestate: 'vendor=żółw,other=1',
}

/** Transport headers travel beside the message, so that one trace runs through every broker. */
export const headerCases: readonly ConformanceCase[] = [
  {
    name: 'headers - those of a call and of a cast arrive, and a request without has none of another',
    needs: ['rpc'],
    async run(harness) {
      const driver = await harness.open()
      const target = harness.target({ server: 'a' })
      const { inbox } = await harness.serve(driver, target, {
        onRequest: (request) => {
          request.acknowledge()
          void request.reply({ result: null, failure: null })
        },
      })
      const request = { context: {}, message: { method: 'm', args: {} } }
      await driver.send(target, { ...request, headers: HEADERS }, harness.sendOptions())
      await driver.send(target, { ...request, headers: HEADERS }, { ...harness.sendOptions(), waitForReply: false })
      await driver.send(target, request, harness.sendOptions())
      const got = await inbox.take(3, 'requests')
      assert.deepEqual(
        got.map(({ headers }) => ({ ...headers })),
        [HEADERS, HEADERS, {}],
      )
    },
  },
  {
    name: 'headers - those of a notification arrive, in both message formats',
    needs: ['notifications'],
    async run(harness) {
      const driver = await harness.open()
      const target = harness.target()
      const { inbox } = await harness.subscribe(driver, target, {
        onNotification: (notification) => notification.acknowledge(),
      })
      for (const version of ['1.0', '2.0'] as const) {
        await harness.notify(driver, target, 'info', version, { version, headers: HEADERS })
        const { headers } = await inbox.next(`notification in format ${version}`)
        assert.deepEqual({ ...headers }, HEADERS)
      }
    },
  },
]
