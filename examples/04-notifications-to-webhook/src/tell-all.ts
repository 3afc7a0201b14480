import { setTimeout as after } from 'node:timers/promises'
import { getBrokerAdmin, getMessaging, loadConfig } from '@oslo-messaging/core'
import { createdFloatingIp, createdInstance, openService } from './cloud.ts'
import { createForwarder, POOL } from './forwarder.ts'
import { openReceiver } from './receiver.ts'
import type { Story } from './story.ts'

const NOVA_QUEUE = `${POOL}:versioned_notifications.info`
const NEUTRON_QUEUE = `${POOL}:notifications.info`

/** The forwarder in process, between a cloud that is played and a webhook on this machine. */
export async function tellAll(story: Story): Promise<void> {
  const receiver = await openReceiver()
  const messaging = await getMessaging({ url: 'memory://', rpc: false })
  createForwarder(messaging, { webhook: receiver.url, backoffMs: 20 })
  await messaging.start()
  const nova = await openService('nova', 'nova-compute:compute1', 'versioned_notifications')
  const neutron = await openService('neutron', 'network.controller', 'notifications')
  const context = { user_id: 'ada', project_id: 'engines' }
  const admin = await getBrokerAdmin(await loadConfig(), { url: 'memory://' })

  await nova.notifier.info(context, 'instance.create.end', createdInstance('web-1'))
  const first = await receiver.next()
  const { type, source, data } = first.event
  const instance = data as { readonly display_name: string; readonly flavor: { readonly vcpus: number } }
  const { display_name: name, flavor } = instance
  story.tell('forwarded', `${first.status}: ${type} of ${source}: ${name} with ${flavor.vcpus} processor`, {
    status: first.status,
    type,
    source,
    name,
    vcpus: flavor.vcpus,
  })

  receiver.answerWith(503, 503)
  await neutron.notifier.info(context, 'floatingip.create.end', createdFloatingIp('203.0.113.7'))
  const attempts = [await receiver.next(), await receiver.next(), await receiver.next()]
  const statuses = attempts.map(({ status }) => status)
  const ids = new Set(attempts.map(({ event }) => event.id)).size
  story.tell('retried', `${statuses.join(', ')}: the webhook was away; every attempt had the same id: ${ids === 1}`, {
    statuses,
    ids,
  })

  receiver.answerWith(422)
  await neutron.notifier.info(context, 'floatingip.create.end', createdFloatingIp('203.0.113.8'))
  const { status } = await receiver.next()
  await deadLetters(NEUTRON_QUEUE, 1)
  story.tell('refused', `${status}: the webhook refuses this one, so it is kept as a dead letter at once`, { status })

  await nova.notifier.info(context, 'instance.create.end', createdInstance('web-2', '2.0'))
  await deadLetters(NOVA_QUEUE, 1)
  story.tell('unreadable', 'An instance of version 2.0 fits nothing that is known: kept, and never sent', {})

  const { moved } = await admin.redrive(NEUTRON_QUEUE)
  const again = await receiver.next()
  story.tell('redriven', `${again.status}: the webhook was mended, and ${moved} dead letter came after all`, {
    status: again.status,
    moved,
  })

  await Promise.all([nova.close(), neutron.close()])
  await messaging.drain()
  await receiver.close()
  story.tell('done', 'Everything was drained and closed.')

  /** Resolves when the queue has that many; rejects after 10 s. */
  async function deadLetters(queue: string, count: number): Promise<void> {
    const limit = AbortSignal.timeout(10_000)
    for (;;) {
      const found = (await admin.queues()).find((each) => each.name === `${queue}.dead`)
      if (found?.messages === count) return
      await after(5, undefined, { signal: limit })
    }
  }
}
