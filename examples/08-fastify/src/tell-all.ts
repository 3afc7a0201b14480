import { EventEmitter, once } from 'node:events'
import type { MessagingOptions } from '@oslo-messaging/core'
import { createApp } from './app.ts'
import type { Story } from './story.ts'

const IN_PROCESS: MessagingOptions = {
  url: 'memory://',
  overrides: { oslo_messaging_notifications: { driver: 'messagingv2', topics: ['shop_events'] } },
}

/** The service, asked over HTTP; in process unless brokers are given. */
export async function tellAll(story: Story, buses: MessagingOptions = IN_PROCESS): Promise<void> {
  const app = await createApp(buses, { logger: false })
  const heard = new EventEmitter()
  app.messaging.listener(
    [{ topic: 'shop_events' }],
    [{ info: (_context, _publisher, event, payload) => void heard.emit('heard', event, payload) }],
  )
  const address = await app.listen({ port: 0, host: '127.0.0.1' })
  const order = async (body: object): Promise<Response> =>
    await fetch(`${address}/orders`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    })

  const health = await fetch(`${address}/health`)
  story.tell('ready', `${health.status}: both buses are up before the first request`, { status: health.status })

  const notified = once(heard, 'heard', { signal: AbortSignal.timeout(10_000) })
  const created = await order({ item: 'bolt', count: 4 })
  const { left } = (await created.json()) as { left: number }
  story.tell('created', `${created.status}: 4 bolts reserved by a call, ${left} left`, { status: created.status, left })
  const [event] = await notified
  story.tell('notified', `${String(event)} was notified`, { heard: String(event) })

  const refused = await order({ item: 'bolt', count: 40 })
  const { message } = (await refused.json()) as { message: string }
  story.tell('refused', `${refused.status}: the method refuses, ${message}`, { status: refused.status, message })

  const missing = await fetch(`${address}/audit`)
  const { code, phase, delivery } = (await missing.json()) as Readonly<Record<string, string>>
  story.tell('unserved', `${missing.status}: nobody serves that topic: ${code}, ${phase}, ${delivery}`, {
    status: missing.status,
    code,
    phase,
    delivery,
  })

  const last = order({ item: 'bolt', count: 1 })
  const [answer] = await Promise.all([
    last,
    once(heard, 'heard', { signal: AbortSignal.timeout(10_000) }).then(() => app.close()),
  ])
  story.tell('closed', `${answer.status}: an order that was under way was answered, then everything closed`, {
    status: answer.status,
    health: app.messaging.health().status,
  })
}
