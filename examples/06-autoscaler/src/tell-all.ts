import { getBrokerAdmin, getMessaging, loadConfig } from '@oslo-messaging/core'
import { createAutoscaler, POOL } from './autoscaler.ts'
import { openCloud } from './cloud.ts'
import type { Story } from './story.ts'
import { until } from './until.ts'

const LIMIT_MS = 10_000

/** The autoscaler in process, between a ceilometer and a heat that are played. */
export async function tellAll(story: Story): Promise<void> {
  const logged: string[] = []
  const messaging = await getMessaging({ url: 'memory://', overrides: { DEFAULT: { control_exchange: 'ceilometer' } } })
  createAutoscaler(messaging, {
    high: 0.8,
    low: 0.2,
    cooldownMs: 4 * 60_000,
    backoffMs: 10,
    log: (line) => void logged.push(line),
  })
  const cloud = openCloud(messaging)
  await messaging.start()
  const admin = await getBrokerAdmin(await loadConfig(), { url: 'memory://' })
  /** So many minutes at that load; resolves to the first decision of that kind since. */
  const minutes = async (count: number, busy: number, kind: string): Promise<string> => {
    const before = logged.length
    const decision = (): string | undefined => logged.slice(before).find((line) => line.includes(kind))
    for (let minute = 0; minute < count; minute++) await cloud.pass(busy)
    await until(() => decision() !== undefined, LIMIT_MS)
    return decision() ?? ''
  }

  const up = await minutes(2, 0.9, 'scale_up')
  story.tell('up', `Two servers were busy, ${up}: there are ${cloud.servers}`, { servers: cloud.servers })

  const young = await minutes(2, 0.9, 'lately')
  story.tell('cooldown', `Still busy, ${young}: nothing was asked for, there are ${cloud.servers}`, {
    servers: cloud.servers,
  })

  cloud.failSignals(2)
  const again = await minutes(2, 0.9, 'scale_up')
  story.tell('again', `Heat failed ${cloud.failures} times, then took it, ${again}: there are ${cloud.servers}`, {
    failures: cloud.failures,
    servers: cloud.servers,
  })

  await cloud.sendBroken()
  const queue = `${POOL}:notifications.sample.dead`
  await until(
    async () => (await admin.queues()).some(({ name, messages }) => name === queue && messages === 1),
    LIMIT_MS,
  )
  story.tell('kept', 'A sample without a number: kept as a dead letter, and the others go on', { deadLetters: 1 })

  const down = await minutes(4, 0.1, 'scale_down')
  story.tell('down', `A quiet night, ${down}: there are ${cloud.servers}`, { servers: cloud.servers })

  await messaging.drain()
  story.tell('done', 'Everything was drained and closed.')
}
