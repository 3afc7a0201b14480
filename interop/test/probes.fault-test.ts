/// <reference lib="esnext.disposable" />
import { setTimeout as sleep } from 'node:timers/promises'

import { skipOrFail, startBroker } from '@oslo-messaging/brokers'
import { getMessaging } from '@oslo-messaging/core'
import { getProbes } from '@oslo-messaging/core/probes'
import { expect, it } from 'vitest'

import { unique } from './support/ours.ts'

const broker = await skipOrFail(startBroker('rabbit'))

/** Time until `/readyz` answers so; rejects after `withinMs`. */
async function until(ready: () => Promise<number>, code: number, withinMs: number): Promise<void> {
  const begun = performance.now()
  while ((await ready()) !== code) {
    if (performance.now() - begun > withinMs) throw new Error(`/readyz was not ${code} within ${withinMs} ms`)
    await sleep(50)
  }
}

it.runIf(broker)('P25 readiness follows what a broker does within 5 s, and back; the process stays alive', async () => {
  if (broker === undefined) return
  const [vhost, user] = [unique('vhost'), unique('user')]
  await broker.control.vhost(vhost)
  await broker.control.addUser(user, 'secret', { vhost })
  const topic = unique('probed')
  await using messaging = await getMessaging({
    url: broker.urlFor({ vhost, user, password: 'secret' }),
    overrides: { oslo_messaging_notifications: { driver: ['messagingv2'] } },
  })
  using probes = getProbes(messaging)
  const ready = async (): Promise<number> => (await probes.answer('GET', '/readyz')).code
  const reason = async (): Promise<string> => (await probes.answer('GET', '/readyz')).body
  const live = async (): Promise<number> => (await probes.answer('GET', '/livez')).code
  messaging.server({ topic, server: 's' }, { ping: () => 'pong' })
  expect(await ready()).toBe(503)
  await messaging.start()
  const call = async () => await messaging.client({ topic }).call({}, 'ping', {}, { timeoutMs: 20_000 })
  expect(await call()).toBe('pong')
  await messaging.notifier().info({}, 'e', {})
  await until(ready, 200, 5000)

  await broker.control.setMemoryAlarm()
  const blocked = messaging.notifier().info({}, 'e', {}, { timeoutMs: 60_000 })
  await until(ready, 503, 5000)
  expect(await reason()).toContain('blocked')
  await broker.control.clearMemoryAlarm()
  await blocked
  await until(ready, 200, 5000)

  await broker.control.deleteQueue(`${topic}.s`, vhost)
  await until(ready, 200, 10_000)
  expect(await call()).toBe('pong')

  await broker.kill()
  await until(ready, 503, 5000)
  expect(await reason()).toContain('recovering')
  expect(await live()).toBe(200)
  await broker.start()
  await until(ready, 200, 30_000)
  expect(await call()).toBe('pong')

  await broker.control.deleteUser(user)
  await broker.control.closeAllConnections({ vhost })
  await until(ready, 503, 5000)
  expect(await reason()).not.toContain('secret')
  expect(await live()).toBe(200)
  await messaging.drain({ timeoutMs: 5000 })
  expect(await reason()).toContain('drained')
})
