import { parseArgs } from 'node:util'
import { getMessaging } from '@oslo-messaging/core'
import { createForwarder } from './forwarder.ts'
import { tellAll } from './tell-all.ts'
import { createStory } from './story.ts'

const { values } = parseArgs({
  options: {
    webhook: { type: 'string' },
    'config-file': { type: 'string', default: 'service.conf' },
    json: { type: 'boolean', default: false },
  },
})

if (values.webhook === undefined) await tellAll(createStory(values.json))
else {
  const messaging = await getMessaging({ configFiles: values['config-file'], env: process.env, rpc: false })
  createForwarder(messaging, { webhook: values.webhook })
  await messaging.start()
  // Ends when what was taken has been confirmed by the webhook, or is back at the broker.
  messaging.handleSignals()
  console.log(`Notifications of ${messaging.notifications.url.redacted} go to ${new URL(values.webhook).origin}`)
}
