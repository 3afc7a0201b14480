import { parseArgs } from 'node:util'
import { getMessaging } from '@oslo-messaging/core'
import { roll } from './roll.ts'
import { stockEndpoint } from './stock.ts'
import { createStory } from './story.ts'

const { values } = parseArgs({
  options: {
    serve: { type: 'boolean', default: false },
    python: { type: 'string', default: 'python3' },
    'config-file': { type: 'string', default: 'service.conf' },
    json: { type: 'boolean', default: false },
  },
})

if (!values.serve) await roll(createStory(values.json), { python: values.python, configFile: values['config-file'] })
else {
  const messaging = await getMessaging({
    configFiles: values['config-file'],
    env: process.env,
    notifications: false,
  })
  messaging.server({ topic: 'stock', server: 'stock-node' }, [stockEndpoint])
  await messaging.start()
  messaging.handleSignals()
  console.log(`The stock is served at ${messaging.rpc.url.redacted}`)
}
