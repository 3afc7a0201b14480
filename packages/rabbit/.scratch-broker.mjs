import { startBroker } from '@oslo-messaging/brokers'
import { writeFileSync } from 'node:fs'
const b = await startBroker('rabbit', { version: process.argv[2] })
writeFileSync('/tmp/helper-e/url', b.url)
console.log(b.url, b.version, b.pids)
process.on('SIGTERM', async () => {
  await b.close()
  process.exit(0)
})
setInterval(() => {}, 1e6)
