import { parseArgs } from 'node:util'
import { getMessaging } from '@oslo-messaging/core'
import { createAutoscaler } from './autoscaler.ts'
import { createStory } from './story.ts'
import { tellAll } from './tell-all.ts'

const { values } = parseArgs({
  options: {
    watch: { type: 'boolean', default: false },
    high: { type: 'string', default: '80' },
    low: { type: 'string', default: '20' },
    cooldown: { type: 'string', default: '300' },
    'config-file': { type: 'string', default: 'service.conf' },
    json: { type: 'boolean', default: false },
  },
})

if (!values.watch) await tellAll(createStory(values.json))
else {
  const messaging = await getMessaging({ configFiles: values['config-file'], env: process.env })
  createAutoscaler(messaging, {
    high: Number(values.high) / 100,
    low: Number(values.low) / 100,
    cooldownMs: Number(values.cooldown) * 1000,
    log: console.log,
  })
  await messaging.start()
  messaging.handleSignals()
  console.log(`Samples at ${messaging.notifications.url.redacted} are watched: ${values.low} to ${values.high} %`)
}
