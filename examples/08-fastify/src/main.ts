import { parseArgs } from 'node:util'
import { createApp } from './app.ts'
import { createStory } from './story.ts'
import { tellAll } from './tell-all.ts'

const { values } = parseArgs({
  options: {
    port: { type: 'string' },
    'on-brokers': { type: 'boolean', default: false },
    'config-file': { type: 'string', default: 'service.conf' },
    json: { type: 'boolean', default: false },
  },
})

const brokers = { configFiles: values['config-file'], env: process.env }
if (values.port === undefined) await tellAll(createStory(values.json), values['on-brokers'] ? brokers : undefined)
else {
  const app = await createApp(brokers, { logger: true })
  await app.listen({ port: Number(values.port) })
  // Requests over HTTP end first, then messages that were taken, then the buses.
  for (const signal of ['SIGTERM', 'SIGINT']) process.once(signal, () => void app.close())
}
