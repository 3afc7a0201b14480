import { Target } from '@oslo-messaging/core/driver'
import { expect, it } from 'vitest'
import { openReal } from '../support/broker.ts'
import { OddPeer } from '../support/odd-peer.ts'
import { castOptions } from '../support/open-driver.ts'

const request = { context: {}, message: { method: 'echo', args: { n: 7 } } }

it('close without a patience ends all the same when the broker owes a confirm', async () => {
  const peer = await OddPeer.start()
  const driver = openReal(peer.url)
  const target = new Target({ topic: 't', fanout: true })
  await driver.send(target, request, castOptions())
  peer.onMethod = ({ name }) => name === 'basic.publish'
  const owed = driver.send(target, request, castOptions({ timeoutMs: 60_000 })).catch((error: unknown) => error)
  await driver.close()
  expect(await owed).toMatchObject({ delivery: 'unknown' })
  await peer.close()
})
