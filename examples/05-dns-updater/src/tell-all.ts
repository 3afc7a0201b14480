import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as after } from 'node:timers/promises'
import { getBrokerAdmin, getMessaging, loadConfig } from '@oslo-messaging/core'
import { createdInstance, deletedInstance } from './cloud.ts'
import { openHostsFile } from './hosts-file.ts'
import { createSink, POOL } from './sink.ts'
import type { Story } from './story.ts'

/** The sink in process, beside a nova that is played. */
export async function tellAll(story: Story): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'dns-updater-'))
  const path = join(folder, 'hosts')
  const written = async (): Promise<string[]> => (await readFile(path, 'utf8')).trim().split('\n')
  const logged: string[] = []
  // How often the zone will be found frozen.
  let frozen = 0

  const messaging = await getMessaging({
    url: 'memory://',
    rpc: false,
    overrides: { DEFAULT: { control_exchange: 'nova' } },
  })
  createSink(messaging, {
    zone: 'cloud.example',
    records: await openHostsFile(path),
    isFrozen: async () => frozen-- > 0,
    patienceMs: 10,
    backoffMs: 10,
    log: (line) => void logged.push(line),
  })
  await messaging.start()
  const nova = messaging.notifier({
    publisherId: 'nova-compute:compute1',
    driver: 'messagingv2',
    topics: ['versioned_notifications'],
  })
  const admin = await getBrokerAdmin(await loadConfig(), { url: 'memory://' })

  await nova.info({}, 'instance.create.end', createdInstance('web-1', '10.0.0.7'))
  await until(() => logged.includes('set web-1'))
  story.tell('set', `web-1 was created: ${(await written()).join(', ')}`, { records: await written() })

  frozen = 2
  await nova.info({}, 'instance.create.end', createdInstance('web-2', '10.0.0.8'))
  await until(() => logged.includes('set web-2'))
  const returns = logged.filter((line) => line === 'returned web-2').length
  story.tell('requeued', `The zone was frozen: web-2 went back to the broker ${returns} times, then was set`, {
    returns,
  })

  await nova.info({}, 'instance.create.end', createdInstance('web 3', '10.0.0.9'))
  const queue = `${POOL}:versioned_notifications.info.dead`
  await until(async () => (await admin.queues()).some(({ name, messages }) => name === queue && messages === 1))
  story.tell('kept', '"web 3" is no name for a DNS: kept as a dead letter, and the others go on', { deadLetters: 1 })

  await nova.info({}, 'instance.delete.end', deletedInstance('web-1', '10.0.0.7'))
  await until(() => logged.includes('removed web-1'))
  story.tell('removed', `web-1 was deleted: ${(await written()).join(', ')}`, { records: await written() })

  await messaging.drain()
  await rm(folder, { recursive: true })
  story.tell('done', 'Everything was drained and closed.')
}

/** Resolves when it holds; rejects after 10 s. */
async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  const limit = AbortSignal.timeout(10_000)
  while (!(await holds())) await after(5, undefined, { signal: limit })
}
