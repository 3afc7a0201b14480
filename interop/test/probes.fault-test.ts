/// <reference lib="esnext.disposable" />
import { skipOrFail, startBroker } from '@oslo-messaging/brokers'
import { getMessaging } from '@oslo-messaging/core'
import { getProbes } from '@oslo-messaging/core/probes'
import { expect, it } from 'vitest'

import { until } from './support/measured.ts'
import { unique } from './support/ours.ts'

const broker = await skipOrFail(startBroker('rabbit'))

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
  const answers = async (code: number, withinMs: number): Promise<number> =>
    await until(async () => (await ready()) === code, `/readyz ${code}`, withinMs)
  const reason = async (): Promise<string> => (await probes.answer('GET', '/readyz')).body
  const live = async (): Promise<number> => (await probes.answer('GET', '/livez')).code
  messaging.server({ topic, server: 's' }, { ping: () => 'pong' })
  expect(await ready()).toBe(503)
  await messaging.start()
  const call = async () => await messaging.client({ topic }).call({}, 'ping', {}, { timeoutMs: 20_000 })
  expect(await call()).toBe('pong')
  await messaging.notifier().info({}, 'e', {})
  await answers(200, 5000)

  await broker.control.setMemoryAlarm()
  const blocked = messaging.notifier().info({}, 'e', {}, { timeoutMs: 60_000 })
  await answers(503, 5000)
  expect(await reason()).toContain('blocked')
  await broker.control.clearMemoryAlarm()
  await blocked
  await answers(200, 5000)

  await broker.control.deleteQueue(`${topic}.s`, vhost)
  await answers(200, 10_000)
  expect(await call()).toBe('pong')

  await broker.kill()
  const downMs = await answers(503, 5000)
  expect(await reason()).toContain('recovering')
  expect(await live()).toBe(200)
  await broker.start()
  const upMs = await answers(200, 10_000)
  expect(await call()).toBe('pong')
  console.log(`down after ${downMs.toFixed(0)} ms, up ${upMs.toFixed(0)} ms after the broker answered`)

  await broker.control.deleteUser(user)
  await broker.control.closeAllConnections({ vhost })
  await answers(503, 5000)
  expect(await reason()).not.toContain('secret')
  expect(await live()).toBe(200)
  await messaging.drain({ timeoutMs: 5000 })
  expect(await reason()).toContain('drained')
})
