import { access } from 'node:fs/promises'
import { parseArgs } from 'node:util'
import { getMessaging } from '@oslo-messaging/core'
import { openHostsFile } from './hosts-file.ts'
import { createSink } from './sink.ts'
import { createStory } from './story.ts'
import { tellAll } from './tell-all.ts'

const { values } = parseArgs({
  options: {
    records: { type: 'string' },
    zone: { type: 'string', default: 'cloud.example' },
    'config-file': { type: 'string', default: 'service.conf' },
    json: { type: 'boolean', default: false },
  },
})

if (values.records === undefined) await tellAll(createStory(values.json))
else {
  const path = values.records
  const messaging = await getMessaging({ configFiles: values['config-file'], env: process.env, rpc: false })
  createSink(messaging, {
    zone: values.zone,
    records: await openHostsFile(path),
    isFrozen: () =>
      access(`${path}.frozen`).then(
        () => true,
        () => false,
      ),
    log: console.log,
  })
  await messaging.start()
  messaging.handleSignals()
  console.log(`Addresses of instances at ${messaging.notifications.url.redacted} are kept in ${path}`)
}
