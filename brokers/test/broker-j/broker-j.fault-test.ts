import { afterAll, describe, expect, it } from 'vitest'

import { answersAmqp10 } from '../../src/probe.ts'
import { skipOrFail } from '../../src/skip.ts'
import { startBroker } from '../../src/start.ts'

const broker = await skipOrFail(startBroker('broker-j'))
afterAll(() => broker?.close())

describe.skipIf(broker === undefined)('Qpid Broker-J', () => {
  it('answers on both of its ports, again after a kill, with the exchanges it was given', async () => {
    const started = broker as NonNullable<typeof broker>
    const anonymous = { host: '127.0.0.1', port: started.anonymousPort }
    expect(started.url).toBe(`amqp://app:secret@127.0.0.1:${started.ports[0]}/`)
    await started.createFanout('broadcast.openstack.topic.all', 'tenant1')
    await started.createFanout('broadcast.openstack.topic.all', 'tenant1')
    await started.kill()
    await expect(answersAmqp10(anonymous)).resolves.toBe(false)
    await started.start()
    await expect(answersAmqp10(anonymous)).resolves.toBe(true)
    await expect(started.depth('DLQ', 'tenant1')).resolves.toBe(0)
    await started.closeAllConnections()
  })
})
