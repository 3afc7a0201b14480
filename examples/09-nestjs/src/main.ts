import { parseArgs } from 'node:util'
import { createApp } from './app.ts'
import { createStory } from './story.ts'
import { tellAll } from './tell-all.ts'

const { values } = parseArgs({
  options: {
    serve: { type: 'boolean', default: false },
    'on-brokers': { type: 'boolean', default: false },
    'config-file': { type: 'string', default: 'service.conf' },
    json: { type: 'boolean', default: false },
  },
})

const brokers = { configFiles: values['config-file'], env: process.env }
if (!values.serve) await tellAll(createStory(values.json), values['on-brokers'] ? brokers : undefined)
else {
  const app = await createApp(brokers, { logger: true })
  // SIGTERM takes nothing new, finishes what was taken, then closes the buses.
  app.enableShutdownHooks()
  await app.listen()
}
