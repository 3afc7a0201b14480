/// <reference lib="esnext.disposable" />
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'

import { freePorts, pythonWithLibrary, skipOrFail } from '@oslo-messaging/brokers'
import { getMessaging, RuntimeError } from '@oslo-messaging/core'
import { expect, it } from 'vitest'

const python = await skipOrFail(pythonWithLibrary())

/** The real collector, with its page of metrics. */
async function startCollector() {
  const folder = mkdtempSync(path.join(tmpdir(), 'oslo-metrics-'))
  const socket = path.join(folder, 'collector.sock')
  const [port = 0] = await freePorts(1)
  const conf = path.join(folder, 'oslo-metrics.conf')
  writeFileSync(
    conf,
    `[oslo_metrics]\nmetrics_socket_file = ${socket}\nprometheus_host = 127.0.0.1\nprometheus_port = ${port}\n`,
  )
  const child = spawn(python ?? '', ['-m', 'oslo_metrics', '--config-file', conf], {
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  const exited = once(child, 'close')
  const close = async (): Promise<void> => {
    child.kill('SIGKILL')
    await exited
    rmSync(folder, { recursive: true })
  }
  await expect.poll(() => existsSync(socket), { timeout: 30_000 }).toBe(true)
  const page = async (): Promise<string> => await (await fetch(`http://127.0.0.1:${port}/`)).text()
  return { socket, page, [Symbol.asyncDispose]: close }
}

it.runIf(python)('X1, X2 transport - the real collector of oslo.metrics counts the calls of our clients', async () => {
  await using collector = await startCollector()
  const messaging = await getMessaging({
    url: 'memory://',
    notifications: false,
    overrides: {
      oslo_messaging_metrics: {
        metrics_enabled: true,
        metrics_socket_file: collector.socket,
        metrics_process_name: 'node',
      },
    },
  })
  const fail = (): never => {
    throw new RuntimeError('no')
  }
  messaging.server({ topic: 'metered', server: 's' }, { work: () => 'done', fail })
  await messaging.start()
  const client = messaging.client({ topic: 'metered', version: '1.0' })
  for (const _ of [1, 2, 3]) await client.call({}, 'work')
  await client.cast({}, 'work')
  await expect(client.call({}, 'fail')).rejects.toThrow('no')
  await messaging.drain()

  const values = async (): Promise<Record<string, number>> => {
    const lines = (await collector.page()).split('\n').filter((line) => line.includes('topic="metered"'))
    const sums: Record<string, number> = {}
    for (const line of lines) {
      const [, name = ''] = /^oslo_messaging_rpc_client_(\w+)\{/.exec(line) ?? []
      sums[name] = (sums[name] ?? 0) + Number(line.split(' ').at(-1))
    }
    return sums
  }
  await expect.poll(values, { timeout: 20_000 }).toMatchObject({
    invocation_start_total: 5,
    invocation_end_total: 4,
    processing_seconds_count: 4,
    exception_total: 1,
  })
  expect(await collector.page()).toContain(
    'call_type="call",exchange="None",fanout="None",method="work",namespace="None",process="node"',
  )
})
