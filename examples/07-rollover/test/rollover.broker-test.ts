import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { pythonWithLibrary, sharedBroker, skipOrFail } from '@oslo-messaging/brokers'
import { describe, expect, it } from 'vitest'

const example = fileURLToPath(new URL('..', import.meta.url))
const rabbit = await skipOrFail(sharedBroker('rabbit'))
const python = await skipOrFail(pythonWithLibrary())

describe.skipIf(rabbit === undefined || python === undefined)('a service goes from Python to Node', () => {
  it('while clients call without a pause, and no call fails', async () => {
    const folder = await mkdtemp(path.join(os.tmpdir(), 'rollover-'))
    try {
      const conf = await readFile(path.join(example, 'service.conf'), 'utf8')
      const file = path.join(folder, 'service.conf')
      await writeFile(file, conf.replace(/^transport_url = .*$/m, `transport_url = ${await rabbit?.vhost()}`))
      const words = ['dist/main.js', '--config-file', file, '--python', python ?? '']
      const { stdout } = await promisify(execFile)(process.execPath, words, { cwd: example, timeout: 55_000 })
      process.stdout.write(stdout)
      expect(stdout).toBe(await readFile(path.join(example, 'expected-on-brokers.txt'), 'utf8'))
    } finally {
      await rm(folder, { recursive: true })
    }
  })
})
