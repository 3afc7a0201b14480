import { parseArgs } from 'node:util'
import { createApp } from './app.ts'
import { createStory } from './story.ts'
import { tellAll } from './tell-all.ts'

const { values } = parseArgs({
  options: {
    port: { type: 'string' },
    'config-file': { type: 'string', default: 'service.conf' },
    json: { type: 'boolean', default: false },
  },
})

if (values.port === undefined) await tellAll(createStory(values.json))
else {
  const app = await createApp({ configFiles: values['config-file'], env: process.env }, { logger: true })
  await app.listen({ port: Number(values.port) })
  // Requests over HTTP end first, then messages that were taken, then the buses.
  for (const signal of ['SIGTERM', 'SIGINT']) process.once(signal, () => void app.close())
}
