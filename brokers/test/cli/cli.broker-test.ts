import { existsSync } from 'node:fs'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

import { afterAll, beforeAll, describe, expect, it } from 'vitest'

import { fetchBroker } from '../../src/fetch.ts'
import { metadata } from '../../src/kafka/protocol.ts'
import { run, type RunResult } from '../../src/run.ts'
import { skipOrFail } from '../../src/skip.ts'

/** The command line is run as a person runs it: from the built package. */
const CLI = fileURLToPath(new URL('../../dist/cli.js', import.meta.url))

const available = await skipOrFail(fetchBroker('kafka').then(() => true))

describe.skipIf(available !== true)('npm run brokers', () => {
  let folder: string

  beforeAll(async () => {
    folder = await mkdtemp(path.join(os.tmpdir(), 'broker-state-test-'))
  })

  afterAll(async () => {
    await brokers('down')
    await rm(folder, { recursive: true, force: true })
  })

  /** Nothing would be started for what the environment names. */
  function environment(): NodeJS.ProcessEnv {
    const { RPC_TRANSPORT_URL: _rpc, NOTIFY_TRANSPORT_URL: _notify, ...rest } = process.env
    return { ...rest, OSLO_MESSAGING_BROKER_STATE: folder }
  }

  function brokers(...args: string[]): Promise<RunResult> {
    return run(process.execPath, [CLI, ...args], { env: environment() })
  }

  it('up, status, env and down - keep a broker running until it is told to stop', async () => {
    const nothing = await brokers('env')
    expect(nothing).toMatchObject({ code: 2, stderr: 'Nothing is up: say first: npm run brokers -- up\n' })

    const up = await brokers('up', 'kafka')
    expect(up.code, up.stderr).toBe(0)
    const [, url = '', port = ''] = /^kafka +(kafka:\/\/127\.0\.0\.1:(\d+)\/)\n$/.exec(up.stdout) ?? []
    const at = { host: '127.0.0.1', port: Number(port) }
    await expect(metadata(at)).resolves.toBeDefined()

    await expect(brokers('up', 'kafka')).resolves.toMatchObject({ code: 0, stdout: up.stdout })
    await expect(brokers('up', 'kafka', '--version', 'kafka=4.4')).resolves.toMatchObject({
      code: 1,
      stderr: expect.stringContaining('down kafka') as string,
    })
    await expect(brokers('status')).resolves.toMatchObject({
      stdout: expect.stringMatching(/^kafka +3\.9\.2 +answers +kafka:/) as string,
    })
    await expect(brokers('env')).resolves.toMatchObject({ stdout: `export NOTIFY_TRANSPORT_URL='${url}'\n` })

    await expect(brokers('down')).resolves.toMatchObject({ code: 0, stdout: 'stopped kafka\n' })
    await expect(metadata(at)).resolves.toBeUndefined()
    await expect(brokers('status')).resolves.toMatchObject({ stdout: 'nothing is up\n' })
    expect(existsSync(folder)).toBe(false)
  })

  it('up - writes the service.conf of a hybrid service for brokers that the environment names', async () => {
    const env = {
      ...environment(),
      RPC_TRANSPORT_URL: 'rabbit://u:p@there/',
      NOTIFY_TRANSPORT_URL: 'kafka://there/',
    }
    const conf = path.join(folder, 'sub/service.conf')
    const up = await run(process.execPath, [CLI, 'up', '--rpc', 'rabbit', '--notify', 'kafka', '--conf', conf], { env })
    expect(up.code, up.stderr).toBe(0)
    expect(up.stdout).not.toContain('u:p@')
    await expect(readFile(conf, 'utf8')).resolves.toMatch(/^\[DEFAULT\]\ntransport_url = rabbit:\/\/u:p@there\/\n/)
  })
})
