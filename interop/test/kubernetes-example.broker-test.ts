import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { sharedBroker, skipOrFail } from '@oslo-messaging/brokers'
import { expect, it } from 'vitest'

const example = fileURLToPath(new URL('../../examples/10-kubernetes/', import.meta.url))
const rabbit = await skipOrFail(sharedBroker('rabbit'))
const kafka = await skipOrFail(sharedBroker('kafka'))

it.runIf(rabbit && kafka)('the life of a pod is the same with RabbitMQ and Kafka as in the process', async () => {
  const env = {
    ...process.env,
    OS_DEFAULT__TRANSPORT_URL: await rabbit?.vhost(),
    OS_OSLO_MESSAGING_NOTIFICATIONS__TRANSPORT_URL: kafka?.url,
  }
  const { stdout } = await promisify(execFile)(process.execPath, ['dist/main.js'], {
    cwd: example,
    env,
    timeout: 55_000,
  })
  expect(stdout).toBe(await readFile(path.join(example, 'expected.txt'), 'utf8'))
})
