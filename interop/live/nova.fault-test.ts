import { execFile, spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { NOVA_VERSION, pythonNova, skipOrFail, startBroker } from '@oslo-messaging/brokers'
import { ModuleKind, ScriptTarget, transpileModule } from 'typescript'
import { describe, expect, it, onTestFinished } from 'vitest'

const run = promisify(execFile)
const nova = await skipOrFail(pythonNova())
const broker = await skipOrFail(startBroker('rabbit'))
const README = join(import.meta.dirname, '../../packages/core/README.md')
const PLACE = '/etc/nova/nova.conf'

/** A nova of its own: databases in files, and nobody to ask for resources. */
const configuration = (folder: string, url: string): string => `
[DEFAULT]
host = nova-test
state_path = ${folder}
transport_url = ${url}
[database]
connection = sqlite:///${folder}/nova.db
[api_database]
connection = sqlite:///${folder}/api.db
[conductor]
workers = 1
[placement]
auth_type = none
endpoint_override = http://127.0.0.1:1/
`

describe.skipIf(nova === undefined || broker === undefined)(`nova ${NOVA_VERSION}`, () => {
  if (nova === undefined || broker === undefined) return

  it('the first example of the README of core asks a real nova-conductor for a sign of life', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'nova-'))
    // Beside this file, so that the names of the packages are found.
    const programs = mkdtempSync(join(import.meta.dirname, '.nova-'))
    onTestFinished(async () => {
      await broker.close()
      for (const each of [folder, programs]) rmSync(each, { recursive: true, force: true })
    })
    const file = join(folder, 'nova.conf')
    writeFileSync(file, configuration(folder, broker.url))
    const options = ['--config-file', file]
    await run(join(nova, 'nova-manage'), [...options, 'db', 'sync', '--local_cell'])
    await run(join(nova, 'nova-manage'), [...options, 'api_db', 'sync'])
    const conductor = spawn(join(nova, 'nova-conductor'), options, { stdio: 'ignore' })
    onTestFinished(() => void conductor.kill('SIGKILL'))

    const [, example = ''] = /```ts\n([^]*?)```/.exec(readFileSync(README, 'utf8')) ?? []
    expect(example).toContain(PLACE)
    const { outputText } = transpileModule(example.replace(PLACE, file), {
      compilerOptions: { module: ModuleKind.ESNext, target: ScriptTarget.ES2022 },
    })
    const program = join(programs, 'example.mjs')
    writeFileSync(program, outputText)
    await expect
      .poll(
        async () => {
          expect(conductor.exitCode).toBe(null)
          // Until the conductor listens, a call ends in a timeout, long after this.
          const ended = await run(process.execPath, [program], { timeout: 10_000 }).catch(() => undefined)
          return ended?.stdout
        },
        { timeout: 120_000, interval: 1000 },
      )
      .toBe('conductor hello\n')
  })
})
