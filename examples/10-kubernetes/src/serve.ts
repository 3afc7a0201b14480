// What the container runs: the service, until SIGTERM.
import { createService, DRAIN_MS } from './service.ts'

const { messaging } = await createService({
  configFiles: process.env['CONFIG_FILE'] ?? 'service.conf',
  env: process.env,
  port: Number(process.env['PORT'] ?? 8080),
})
messaging.handleSignals({ timeoutMs: DRAIN_MS })
await messaging.start()
